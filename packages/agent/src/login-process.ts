/** Runs the CLI's login, over pipes or a PTY, behind one shape. Knows nothing of what the CLI says or writes. */
import { access, constants } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import type { ChildExit } from './child.ts';
import { startChild, stopGroup } from './child.ts';

export type LoginProcess = {
  exited: Promise<ChildExit>;
  /** Resolves when all that it wrote was read, or soon after its end when something it left behind keeps its output open. */
  outputEnded: Promise<void>;
  /** Exactly this text to the CLI's input. False when the CLI no longer runs. */
  write: (text: string) => boolean;
  /** One line to the CLI's input, ended as the CLI expects a typed line to end. */
  writeLine: (line: string) => boolean;
  /** The CLI sees the end of its input. */
  endInput: () => void;
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
  createOutput: (stream: OutputStream) => (chunk: Buffer) => void;
};

export type OutputStream = 'stdout' | 'stderr' | 'terminal';

export class MissingProgramError extends Error {}

/** So wide that no URL wraps. */
const PTY_COLUMNS = 4000;
const STOP_GRACE_MS = 500;
const REST_WITHIN_MS = 300;
/** Ctrl-D: a terminal's end of input. */
const END_OF_INPUT = '\u0004';

/** Throws `MissingProgramError` when there is no such program to run. */
export async function startLoginProcess(options: LoginProcessOptions): Promise<LoginProcess> {
  await assertProgram(options.program);
  return options.io === 'pty' ? startOnPty(options) : startOnPipes(options);
}

/** Throws `MissingProgramError` when there is no such program to run. */
export async function assertProgram(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK);
  } catch {
    throw new MissingProgramError(program);
  }
}

function startOnPipes({ program, args, env, cwd, createOutput }: LoginProcessOptions): LoginProcess {
  const child = startChild(program, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const { stdin, stdout, stderr } = child.process;
  stdout?.on('data', createOutput('stdout'));
  stderr?.on('data', createOutput('stderr'));
  // The CLI may end while something is being written to it.
  stdin?.on('error', () => undefined);
  const write = (text: string): boolean => {
    if (!stdin?.writable || child.process.exitCode !== null || child.process.signalCode !== null) return false;
    stdin.write(text);
    return true;
  };
  const { exited } = child;
  const closed = new Promise<void>((resolve) => child.process.once('close', () => resolve()));
  return {
    exited,
    outputEnded: Promise.race([closed, afterRest(exited)]),
    write,
    writeLine: (line) => write(`${line}\n`),
    endInput: () => void stdin?.end(),
    stop: () => child.stop(STOP_GRACE_MS),
  };
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
  const onChunk = createOutput('terminal');
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
  return {
    exited,
    outputEnded: afterRest(exited),
    write,
    writeLine: (line) => write(`${line}\r`),
    endInput: () => void write(END_OF_INPUT),
    stop,
  };
}

async function afterRest(exited: Promise<unknown>): Promise<void> {
  await exited.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, REST_WITHIN_MS).unref());
}

function toSignalName(number: number): string {
  const entry = Object.entries(osConstants.signals).find(([, value]) => value === number);
  return entry?.[0] ?? `signal ${number}`;
}
