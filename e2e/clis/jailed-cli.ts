/**
 * An unmodified CLI in the world's network, which leads nowhere else, with a home and a browser shim of its own: outside of any VM, as a
 * sandbox would have it to which a login was delivered.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../support/world.ts';

export type JailedCli = {
  /** What it has written so far, both streams as they came. */
  output(): string;
  /**
   * Looks at the output without its control sequences. Resolves with what matches, the first group if there is one; rejects when the CLI
   * ends before.
   */
  waitFor(pattern: RegExp): Promise<string>;
  /** The same in what it draws on a terminal, without any blanks. */
  waitForDrawn(pattern: RegExp): Promise<string>;
  /** The link that it opened in its browser. */
  link(): Promise<string>;
  write(text: string): void;
  endInput(): void;
  /** Its exit code; null when it was ended by a signal. */
  exited: Promise<number | null>;
  kill(): void;
};

export type JailedCliOptions = {
  world: World;
  home: string;
  /** Default: the home. */
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** With a terminal of 200 columns. */
  terminal?: boolean;
};

const POLL_MS = 50;
const WAIT_MS = 60_000;

export function startJailedCli(argv: readonly string[], options: JailedCliOptions): JailedCli {
  const { world, home, cwd = home, env = {}, terminal = false } = options;
  const shim = createShim(home);
  const inTerminal = ['script', '-qfec', `stty cols 200 rows 50; exec ${argv.map(quote).join(' ')}`, '/dev/null'];
  const [program = '', ...args] = world.toJail(terminal ? inTerminal : argv);
  const child = spawn(program, args, {
    cwd,
    env: {
      PATH: `${join(home, '.shim')}:/usr/local/bin:/usr/bin:/bin`,
      LANG: 'C.UTF-8',
      HOME: home,
      DISPLAY: ':0',
      BROWSER: shim.program,
      TERM: terminal ? 'xterm-256color' : 'dumb',
      ...toTrust(world),
      ...env,
    },
    stdio: 'pipe',
    // Whatever it starts ends with it.
    detached: true,
  });
  if (terminal) answerQuestions(child);
  return follow(child, shim.dropFile);
}

/** What makes programs of any make trust the world's authority. */
export function toTrust({ authority }: World): Record<string, string> {
  if (authority === null) return {};
  return {
    NODE_EXTRA_CA_CERTS: authority.caFile,
    SSL_CERT_FILE: authority.bundleFile,
    CODEX_CA_CERTIFICATE: authority.caFile,
    // A machine's own npmrc may name a file.
    npm_config_cafile: authority.bundleFile,
  };
}

function follow(child: ChildProcess, dropFile: string): JailedCli {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stdin?.on('error', () => undefined);
  let ended = false;
  const exited = new Promise<number | null>((resolve) =>
    child.once('close', (code) => {
      ended = true;
      resolve(code);
    }),
  );
  async function poll(find: () => string | undefined, what: string): Promise<string> {
    for (let waited = 0; waited < WAIT_MS; waited += POLL_MS) {
      const found = find();
      if (found !== undefined) return found;
      if (ended) throw new Error(`the program ended before ${what}:\n${text}`);
      await sleep(POLL_MS);
    }
    throw new Error(`waited in vain for ${what}:\n${text}`);
  }
  return {
    output: () => text,
    waitFor: (pattern) => poll(() => findIn(toPlain(text), pattern), String(pattern)),
    waitForDrawn: (pattern) => poll(() => findIn(toDrawn(text), pattern), String(pattern)),
    link: () => poll(() => readLine(dropFile), 'a link'),
    write: (line) => void child.stdin?.write(line),
    endInput: () => void child.stdin?.end(),
    exited,
    kill() {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // Nothing of it runs.
      }
    },
  };
}

/** What a program asks of its terminal, and waits for: where the cursor is, which colours there are, what it can do. */
const TERMINAL_ANSWERS: readonly [question: string, answer: string][] = [
  ['\u001b[6n', '\u001b[1;1R'],
  ['\u001b[c', '\u001b[?62;22c'],
  ['\u001b]10;?', '\u001b]10;rgb:eeee/eeee/eeee\u001b\\'],
  ['\u001b]11;?', '\u001b]11;rgb:0000/0000/0000\u001b\\'],
];

function answerQuestions(child: ChildProcess): void {
  child.stdout?.on('data', (chunk: string | Buffer) => {
    for (const [question, answer] of TERMINAL_ANSWERS)
      if (chunk.toString().includes(question)) child.stdin?.write(answer);
  });
}

/** Without what only a terminal understands: colours, links, movements. */
export function toPlain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/\u001b(?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\[[0-?]*[ -/]*[@-~])/g, '');
}

/** Without blanks, too: a screen is drawn with movements in their place. */
export function toDrawn(text: string): string {
  return toPlain(text).replaceAll(/\s+/g, '');
}

function findIn(text: string, pattern: RegExp): string | undefined {
  const found = pattern.exec(text);
  return found === null ? undefined : (found[1] ?? found[0]);
}

/** The programs by which CLIs start a browser; the link is left in a file. */
function createShim(home: string): { program: string; dropFile: string } {
  const folder = join(home, '.shim');
  mkdirSync(folder, { recursive: true });
  const dropFile = join(folder, 'link');
  for (const name of ['xdg-open', 'test-browser']) {
    writeFileSync(join(folder, name), `#!/bin/sh\nprintf '%s\\n' "$@" >"${dropFile}"\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return { program: join(folder, 'test-browser'), dropFile };
}

function readLine(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return text.endsWith('\n') ? text.trim() : undefined;
  } catch {
    return undefined;
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
