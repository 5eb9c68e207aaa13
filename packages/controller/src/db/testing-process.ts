/** Runs `testing-starter.ts` as a process of its own, as this or another user, and reads the line it says. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const STARTER = fileURLToPath(new URL('./testing-starter.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

export type StarterAnswer = { adopted?: boolean; code?: string; message?: string };

export type Starter = {
  process: ChildProcess;
  answer: StarterAnswer;
  /** Ends its input and waits for its end: an orderly stop. */
  end(): Promise<void>;
  kill(): Promise<void>;
};

/** @param uid runs it as that user; only root may. */
export async function runStarter(dataDir: string, uid?: number): Promise<Starter> {
  const identity = uid === undefined ? {} : { uid, gid: uid };
  const child = spawn(process.execPath, ['--import', TSX, STARTER, dataDir], {
    ...identity,
    detached: true,
    env: { PATH: process.env['PATH'], TSX_DISABLE_CACHE: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const answered = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  const first = await Promise.race([answered, exited.then(() => null)]);
  if (first === null) throw new Error('the starter ended without an answer');
  return {
    process: child,
    answer: JSON.parse(first[0]) as StarterAnswer,
    async end() {
      child.stdin.end();
      await exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
