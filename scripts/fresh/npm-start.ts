/** `npm start` in a fresh machine's clone, as a person meets it: what it has said so far, keys typed at it, and its end. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import type { Account, FreshMachine } from './fresh-machine.ts';

export type NpmStart = {
  /** All it has said, without what colours and redraws it. */
  said(): string;
  /** Resolves with the match and the moment it was seen; rejects when it ends or the time is up without. */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<{ match: RegExpExecArray; at: number }>;
  /** Types at its terminal. */
  type(keys: string): void;
  /** Ctrl-C at its terminal; without one SIGTERM to npm alone, as from a service manager. Rejects when it ends otherwise than as asked. */
  stop(): Promise<void>;
  /** kill -9 of npm, its shell, the starter and the controller, all at once. */
  killTree(): Promise<void>;
  exited: Promise<number | null>;
};

export type NpmStartOptions = { machine: FreshMachine; account: Account; cwd: string; port: number; terminal: boolean };

/** What npm turns in place while it works. */
const SPINNER = /[\u2800-\u28ff]/g;
const CTRL_C = '\u0003';
const COMMAND = ['npm', 'start', '--', '--demo'];
/** Of the processes below npm, those that make up one start; databases and browser machines are not among them. */
const OF_A_START = /npm start|start\.mjs|controller\/main\.mjs/;
/** 0 from the controller; npm itself may end with the signal that it passed on. */
const ENDED_AS_ASKED = new Set<number | null>([0, 128 + constants.signals.SIGINT, 128 + constants.signals.SIGTERM]);
const DEFAULT_TIMEOUT_MS = 300_000;

export function runNpmStart({ machine, account, cwd, port, terminal }: NpmStartOptions): NpmStart {
  const argv = terminal
    ? ['script', '--quiet', '--return', '--flush', '--command', COMMAND.join(' '), '/dev/null']
    : COMMAND;
  const child = machine.spawn(account, argv, { cwd, env: { VESTIBULE_PORT: String(port) } });
  if (!terminal) child.stdin?.end();
  let text = '';
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const watcher of watchers) watcher();
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += stripVTControlCharacters(chunk).replaceAll(/\r\n?/g, '\n').replaceAll(SPINNER, '');
      look();
    });
  }
  let ended = false;
  const exited = once(child, 'close').then(([code]) => {
    ended = true;
    look();
    return code as number | null;
  });

  return {
    said: () => text,
    waitFor(pattern, timeoutMs = DEFAULT_TIMEOUT_MS) {
      return new Promise((resolve, reject) => {
        const settle = (work: () => void): void => {
          watchers.delete(watcher);
          clearTimeout(timer);
          work();
        };
        const give = (why: string): void =>
          settle(() => reject(new Error(`${why} before ${pattern}. It said:\n${text}`)));
        const watcher = (): void => {
          const match = pattern.exec(text);
          if (match !== null) settle(() => resolve({ match, at: performance.now() }));
          else if (ended) give('npm start ended');
        };
        const timer = setTimeout(() => give(`${timeoutMs} ms went by`), timeoutMs);
        watchers.add(watcher);
        watcher();
      });
    },
    type: (keys) => void child.stdin?.write(keys),
    async stop() {
      if (terminal) child.stdin?.write(CTRL_C);
      else for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGTERM');
      const code = await exited;
      if (!ENDED_AS_ASKED.has(code))
        throw new Error(`npm start ended with ${code} when asked to stop. It said:\n${text}`);
    },
    async killTree() {
      for (const pid of descendantsOf(child)) if (OF_A_START.test(readCommand(pid))) process.kill(pid, 'SIGKILL');
      await exited;
    },
    exited,
  };
}

function childrenOf(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

function descendantsOf(child: ChildProcess): number[] {
  const found = childrenOf(child.pid ?? 0);
  for (const pid of found) found.push(...childrenOf(pid));
  return found;
}

function readCommand(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
}
