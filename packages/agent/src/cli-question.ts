/** Runs the CLI for one question to it: its version, or a first use of the login. */
import { startChild } from './child.ts';

export type CliQuestion = {
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  timeoutMs: number;
  /** Resolves when the answer is no longer waited for. */
  until?: Promise<unknown>;
};

/** What it wrote on both streams is bounded. `exitCode` is null when it gave no answer. */
export type CliAnswer = { exitCode: number | null; text: string };

const MAX_ANSWER_CHARS = 64 * 1024;

/** Never rejects. */
export async function askCli({ program, args, env, cwd, timeoutMs, until }: CliQuestion): Promise<CliAnswer> {
  const child = startChild(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const keep = (chunk: Buffer): void => {
    if (text.length < MAX_ANSWER_CHARS) text += chunk.toString();
  };
  child.process.stdout?.on('data', keep);
  child.process.stderr?.on('data', keep);
  const closed = new Promise<void>((resolve) => child.process.once('close', () => resolve()));
  let isLate = false;
  const stop = (): void => {
    isLate = true;
    void child.stop(0);
  };
  const timer = setTimeout(stop, timeoutMs);
  void until?.then(stop);
  try {
    const { exitCode } = await child.exited;
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 200).unref())]);
    return { exitCode: isLate ? null : exitCode, text };
  } catch {
    return { exitCode: null, text: '' };
  } finally {
    clearTimeout(timer);
  }
}
