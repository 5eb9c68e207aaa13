/**
 * Runs one program of a build to its end: in a mount and process namespace of its own, so that nothing it mounted and nothing it started
 * outlives it, however this process ends.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { SYSTEM_PATH } from '../system/run-command.ts';

const KEPT_LINES = 12;
/** Far above the slowest network: a build that stands still must end. */
const TIME_LIMIT_MS = 30 * 60_000;

/** setpriv and unshare replace themselves: the signal of a dying parent reaches unshare, and its own death ends the namespace. */
const BRACKET = [
  ...['setpriv', '--pdeathsig', 'KILL', '--'],
  ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--'],
];

export type BuildCommandOptions = {
  cwd?: string;
  /** Besides PATH and LANG. */
  environment?: Readonly<Record<string, string>>;
  /** Of both outputs. */
  onLine?: (line: string) => void;
  /** Takes what the program writes, instead of `onLine`; resolves when it has all of it. */
  takeOutput?: (output: Readable) => Promise<void>;
};

/** Rejects with the program's last words when it does not exit with 0. Needs CAP_SYS_ADMIN in this process's user namespace. */
export async function runBuildCommand(argv: readonly string[], options: BuildCommandOptions = {}): Promise<void> {
  const [program = '', ...args] = [...BRACKET, ...argv];
  const child = spawn(program, args, {
    env: { PATH: SYSTEM_PATH, LANG: 'C.UTF-8', ...options.environment },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const last: string[] = [];
  const hear = (line: string): void => {
    last.push(line);
    if (last.length > KEPT_LINES) last.shift();
    options.onLine?.(line);
  };
  createInterface({ input: child.stderr }).on('line', hear);
  if (options.takeOutput === undefined) createInterface({ input: child.stdout }).on('line', hear);
  const ended = new Promise<string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exited with code ${code}`)));
  });
  const [how] = await Promise.all([ended, options.takeOutput?.(child.stdout)]);
  if (how === null) return;
  const words = last.filter((line) => line.trim() !== '').join('\n  ');
  throw new Error(`${argv.slice(0, 3).join(' ')} ${how}:\n  ${words.slice(-2000)}`);
}
