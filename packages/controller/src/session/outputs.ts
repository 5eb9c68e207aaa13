/** What the CLI wrote, for whoever looks on: all of it so far, or followed from any chunk on, at any controller. Rows are the truth. */
import type { OutputChunk } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { Logger } from '../telemetry/logger.ts';
import type { OutputStore } from './output-store.ts';
import { isActive } from './session-row.ts';
import type { SessionStore } from './session-store.ts';

/** Between two looks when nobody told of a change. */
const LOOK_AGAIN_MS = 1_000;
/** Chunks read at once: a chunk may hold 16 KiB characters. */
const MAX_READ = 16;

export type OutputListener = {
  onChunk: (chunk: OutputChunk) => void;
  /** Nothing can follow. */
  onEnd: () => void;
  /** It cannot be read on; whoever follows comes again. */
  onBreak: () => void;
};

export type OutputsDeps = {
  store: Pick<OutputStore, 'list'>;
  sessions: Pick<SessionStore, 'find'>;
  waitForChange: (sessionId: string, timeoutMs: number) => Promise<void>;
  log: Logger;
};

export function createOutputs(deps: OutputsDeps) {
  const { store, sessions } = deps;

  async function isOver(sessionId: string): Promise<boolean> {
    const row = await sessions.find(sessionId);
    if (row === null) throw new AppError('session_not_found');
    return !isActive(row);
  }

  async function tell(
    sessionId: string,
    afterN: number,
    listener: OutputListener,
    isLeft: () => boolean,
  ): Promise<void> {
    let last = afterN;
    while (!isLeft()) {
      const changed = deps.waitForChange(sessionId, LOOK_AGAIN_MS);
      // Asked before the chunks are read: nothing is written after the end.
      const over = await isOver(sessionId);
      const chunks = await store.list(sessionId, last, MAX_READ);
      if (isLeft()) return;
      for (const chunk of chunks) listener.onChunk(chunk);
      last = chunks.at(-1)?.n ?? last;
      if (chunks.length === MAX_READ) continue;
      if (over) return listener.onEnd();
      await changed;
    }
  }

  return {
    /** Throws `session_not_found`. */
    async list(sessionId: string): Promise<OutputChunk[]> {
      await isOver(sessionId);
      return store.list(sessionId);
    },

    /** Throws `session_not_found`. Returns the unsubscribe; each chunk after `afterN` is told once, in order. */
    async follow(sessionId: string, afterN: number, listener: OutputListener): Promise<() => void> {
      await isOver(sessionId);
      let left = false;
      void tell(sessionId, afterN, listener, () => left).catch((error: unknown) => {
        deps.log.warn({ sessionId, err: error }, 'following what a program writes broke off');
        if (!left) listener.onBreak();
      });
      return () => {
        left = true;
      };
    },
  };
}
