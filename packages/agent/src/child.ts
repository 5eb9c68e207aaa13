/**
 * A child process with a process group of its own, so that what it started ends with it. Knows nothing of what it runs.
 */
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { spawn } from 'node:child_process';

export type ChildExit = { exitCode: number | null; signal: string | null };

export type Child = {
  process: ChildProcess;
  /** Rejects when the program could not be started at all. */
  exited: Promise<ChildExit>;
  /** Asks the group to end, then ends it. Resolves when the child is gone. */
  stop: (graceMs?: number) => Promise<void>;
};

export type ChildOptions = { env: Readonly<Record<string, string>>; cwd: string; stdio: StdioOptions };

export function startChild(program: string, args: readonly string[], options: ChildOptions): Child {
  const child = spawn(program, [...args], { ...options, env: { ...options.env }, detached: true });
  const exited = new Promise<ChildExit>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  exited.catch(() => undefined);
  return { process: child, exited, stop: (graceMs = 300) => stopGroup(child.pid, exited, graceMs) };
}

/** Ends the process group led by `pid`; `exited` tells when its leader is gone. */
export async function stopGroup(pid: number | undefined, exited: Promise<unknown>, graceMs: number): Promise<void> {
  if (pid === undefined || pid <= 1) return;
  signalGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
  await exited.catch(() => undefined);
  clearTimeout(timer);
  signalGroup(pid, 'SIGKILL');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** `code 3` or `signal SIGKILL`: for a person. */
export function toExitWords(exit: ChildExit): string {
  return exit.signal ? `signal ${exit.signal}` : `code ${exit.exitCode}`;
}
