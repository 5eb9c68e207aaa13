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
  /** Looks at the output without its control sequences. Resolves with what matches, the first group if there is one; rejects when the CLI ends before. */
  waitFor(pattern: RegExp): Promise<string>;
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
  return follow(child, shim.dropFile);
}

/** What makes programs of any make trust the world's authority. */
export function toTrust({ authority }: World): Record<string, string> {
  return {
    NODE_EXTRA_CA_CERTS: authority.caFile,
    SSL_CERT_FILE: authority.bundleFile,
    CODEX_CA_CERTIFICATE: authority.caFile,
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
    waitFor: (pattern) =>
      poll(() => {
        const found = pattern.exec(toPlain(text));
        return found === null ? undefined : (found[1] ?? found[0]);
      }, String(pattern)),
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

/** Without what only a terminal understands: colours, links, movements. */
export function toPlain(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/\u001b(?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\[[0-9;?]*[ -/]*[@-~])/g, '');
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
