/** A program of a bench in a process of its own: answers one request at a time over Node's channel between parent and child. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type ChildProgram<Request, Answer> = {
  /** Rejects when the program ends or answers that it failed. */
  ask(request: Request): Promise<Answer>;
  stop(): Promise<void>;
  pid: number;
};

type Reply<Answer> = { answer: Answer } | { error: string };

/** @param file the program */
export function startProgram<Request, Answer>(file: URL): ChildProgram<Request, Answer> {
  const child = fork(fileURLToPath(file));
  const ended = once(child, 'exit');
  return {
    pid: child.pid ?? 0,
    ask: (request) => ask(child, request),
    async stop() {
      child.kill();
      await ended;
    },
  };
}

function ask<Answer>(child: ChildProcess, request: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a program of the bench ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (reply: Reply<Answer>) => {
      child.off('exit', onExit);
      if ('error' in reply) reject(new Error(reply.error));
      else resolve(reply.answer);
    });
    child.send(request as object);
  });
}

/** The program's side of it. */
export function answerRequests(answer: (request: never) => Promise<unknown>): void {
  process.on('message', (request: unknown) => {
    answer(request as never)
      .then(
        (found): Reply<unknown> => ({ answer: found }),
        (error: unknown): Reply<unknown> => ({ error: error instanceof Error ? (error.stack ?? '') : String(error) }),
      )
      .then((reply) => process.send?.(reply))
      .catch(() => process.exit(1));
  });
  process.once('disconnect', () => process.exit());
}
