/**
 * Keeps one session's event stream open: the browser's own stream resumes by itself; one that gave up (server restart, proxy error) is
 * opened again after asking why, so that "signed out" and "no such session" are told apart from a server that is away for a moment.
 */
import type { Client } from '@vestibule/protocol/client';
import { AppError } from '@vestibule/protocol/errors';
import type { PushAction, Refusal } from './push-state.ts';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 8_000;

function toRefusal(error: unknown): Refusal | null {
  if (!(error instanceof AppError)) return null;
  if (error.code === 'unauthenticated') return 'signed_out';
  return error.code === 'session_not_found' || error.code === 'not_found' ? 'not_found' : null;
}

/** Runs something later; returns the way to call it off. */
export type Later = (run: () => void, delayMs: number) => () => void;

const later: Later = (run, delayMs) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};

/** Calls `dispatch` until the session can change no more, is refused, or the returned function is called. */
export function subscribeSession(
  client: Pick<Client, 'subscribe' | 'getSession'>,
  sessionId: string,
  dispatch: (action: PushAction) => void,
  runLater: Later = later,
): () => void {
  let stopped = false;
  let delayMs = FIRST_DELAY_MS;
  let close: (() => void) | null = null;
  let callOff: (() => void) | null = null;

  function open(): void {
    close = client.subscribe(sessionId, {
      onOpen: () => dispatch({ type: 'opened' }),
      onPush: (push) => {
        delayMs = FIRST_DELAY_MS;
        dispatch({ type: 'pushed', push, atMs: performance.now() });
      },
      onEnd: () => dispatch({ type: 'ended' }),
      onDrop: (resumes) => {
        dispatch({ type: 'dropped' });
        if (!resumes) void openAgain();
      },
    });
  }

  async function openAgain(): Promise<void> {
    try {
      await client.getSession(sessionId);
    } catch (error) {
      const refusal = toRefusal(error);
      if (refusal !== null) {
        if (!stopped) dispatch({ type: 'refused', refusal });
        return;
      }
    }
    if (stopped) return;
    callOff = runLater(open, delayMs);
    delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
  }

  open();
  return () => {
    stopped = true;
    callOff?.();
    close?.();
  };
}
