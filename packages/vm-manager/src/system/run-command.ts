/** Runs one of the system's own programs with an argv array: no shell, a fixed PATH, a time limit, a clear error. */
import { spawn } from 'node:child_process';

export const SYSTEM_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

export type CommandOptions = {
  stdin?: string;
  /** Default 10 s. The program is killed then. */
  timeoutMs?: number;
  cwd?: string;
  /** Besides LANG and, unless it is given here, the PATH of the system's folders. */
  environment?: Readonly<Record<string, string>>;
};

export type CommandResult = { exitCode: number | null; signal: string | null; stdout: string; stderr: string };

/** Rejects only when the program could not be started. */
export function tryCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { PATH: SYSTEM_PATH, LANG: 'C.UTF-8', ...options.environment },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      timeout: options.timeoutMs ?? 10_000,
      killSignal: 'SIGKILL',
    });
    const out = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text));
    // A program that ends before it read its input is judged by its exit code.
    child.stdin.on('error', () => undefined).end(options.stdin ?? '');
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, ...out }));
  });
}

/** Resolves to stdout; rejects with the program's own words when it does not exit with 0. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryCommand(argv, options);
  if (result.exitCode === 0) return result.stdout;
  const how = result.signal === null ? `exited with code ${result.exitCode}` : `was killed by ${result.signal}`;
  throw new Error(`${argv.slice(0, 4).join(' ')} ${how}: ${result.stderr.trim().slice(-500)}`);
}
