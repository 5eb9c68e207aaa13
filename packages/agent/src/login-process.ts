/** Runs the CLI's login, over pipes or a PTY, behind one shape. Knows nothing of what the CLI says or writes. */
import { access, constants } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import type { ChildExit } from './child.ts';
import { startChild, stopGroup } from './child.ts';

export type LoginProcess = {
  exited: Promise<ChildExit>;
  /** Exactly this text to the CLI's input. False when the CLI no longer runs. */
  write: (text: string) => boolean;
  /** One line to the CLI's input, ended as the CLI expects a typed line to end. */
  writeLine: (line: string) => boolean;
  stop: () => Promise<void>;
};

export type LoginProcessOptions = {
  /** Absolute path. */
  program: string;
  args: readonly string[];
  io: 'pipes' | 'pty';
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Makes the receiver of one stream's chunks; called once for each output stream. */
  createOutput: () => (chunk: Buffer) => void;
};

export class MissingProgramError extends Error {}

/** So wide that no URL wraps. */
const PTY_COLUMNS = 4000;
const STOP_GRACE_MS = 500;

/** Throws `MissingProgramError` when there is no such program to run. */
export async function startLoginProcess(options: LoginProcessOptions): Promise<LoginProcess> {
  try {
    await access(options.program, constants.X_OK);
  } catch {
    throw new MissingProgramError(options.program);
  }
  return options.io === 'pty' ? startOnPty(options) : startOnPipes(options);
}

function startOnPipes({ program, args, env, cwd, createOutput }: LoginProcessOptions): LoginProcess {
  const child = startChild(program, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const { stdin, stdout, stderr } = child.process;
  stdout?.on('data', createOutput());
  stderr?.on('data', createOutput());
  // The CLI may end while something is being written to it.
  stdin?.on('error', () => undefined);
  const write = (text: string): boolean => {
    if (!stdin?.writable || child.process.exitCode !== null || child.process.signalCode !== null) return false;
    stdin.write(text);
    return true;
  };
  const { exited } = child;
  return { exited, write, writeLine: (line) => write(`${line}\n`), stop: () => child.stop(STOP_GRACE_MS) };
}

async function startOnPty({ program, args, env, cwd, createOutput }: LoginProcessOptions): Promise<LoginProcess> {
  // A native module: loaded only for the CLIs that need a terminal.
  const { spawn } = await import('@lydell/node-pty');
  const terminal = spawn(program, [...args], {
    name: 'xterm-256color',
    cols: PTY_COLUMNS,
    rows: 50,
    cwd,
    env: { ...env },
    encoding: null,
  });
  const onChunk = createOutput();
  // With `encoding: null` the chunks are buffers, whatever the declared type says.
  terminal.onData((chunk: string | Buffer) => onChunk(Buffer.from(chunk)));
  let running = true;
  const exited = new Promise<ChildExit>((resolve) => {
    terminal.onExit(({ exitCode, signal }) => {
      running = false;
      resolve(signal ? { exitCode: null, signal: toSignalName(signal) } : { exitCode, signal: null });
    });
  });
  const write = (text: string): boolean => {
    if (running) terminal.write(text);
    return running;
  };
  const stop = (): Promise<void> => (running ? stopGroup(terminal.pid, exited, STOP_GRACE_MS) : Promise.resolve());
  return { exited, write, writeLine: (line) => write(`${line}\r`), stop };
}

function toSignalName(number: number): string {
  const entry = Object.entries(osConstants.signals).find(([, value]) => value === number);
  return entry?.[0] ?? `signal ${number}`;
}
