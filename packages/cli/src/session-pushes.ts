/** A session's pushes, one after the other, over drops of the connection and restarts of the server: each step once, in order. */
import type { SessionPush } from '@vestibule/protocol/api';
import type { Client } from '@vestibule/protocol/client';
import { CliError } from './cli-error.ts';
import type { Report } from './report.ts';

/** A server that is away for longer than its session's time and this hold has forgotten nothing, but nobody waits for it. */
const PATIENCE_MS = 150_000;
const AGAIN_MS = 1000;
const MAX_REOPENED = 20;

type Heard = SessionPush | 'open' | 'end' | 'drop' | 'closed' | 'late';

/** Ends with the session's stream, which is when its VM is gone, or when aborted. Throws `AppError` when the server refuses, `CliError` when it stays away. */
export async function* followSession(
  client: Pick<Client, 'subscribe' | 'getSession'>,
  sessionId: string,
  report: Pick<Report, 'warn' | 'say'>,
  signal?: AbortSignal,
): AsyncGenerator<SessionPush, void, void> {
  const heard: Heard[] = [];
  let wake: () => void = () => undefined;
  const hear = (what: Heard): void => {
    heard.push(what);
    wake();
  };
  const subscribe = (): (() => void) =>
    client.subscribe(sessionId, {
      onOpen: () => hear('open'),
      onPush: hear,
      onEnd: () => hear('end'),
      onDrop: (resumes) => hear(resumes ? 'drop' : 'closed'),
    });
  signal?.addEventListener('abort', () => hear('end'), { once: true });
  let unsubscribe = subscribe();
  let seq = 0;
  let remainingMs = 0;
  let reopened = 0;
  let isAway = false;
  let patience: NodeJS.Timeout | null = null;
  try {
    for (;;) {
      while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const what = heard.shift();
      if (what === undefined || what === 'end') return;
      if (what === 'late')
        throw new CliError(
          'unreachable',
          'The server has not answered for too long. The sign-in may still go on there.',
        );
      if (what === 'open') {
        if (isAway) report.say('The server answers again.');
        isAway = false;
        if (patience !== null) clearTimeout(patience);
      } else if (what === 'drop') {
        if (!isAway) report.warn('The connection to the server dropped; trying again…');
        if (!isAway) patience = setTimeout(() => hear('late'), remainingMs + PATIENCE_MS);
        isAway = true;
      } else if (what === 'closed') {
        // Says why, when the server will not have us.
        await client.getSession(sessionId);
        reopened += 1;
        if (reopened > MAX_REOPENED)
          throw new CliError('unreachable', 'The server does not tell how the sign-in goes on. The page shows it.');
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        unsubscribe();
        unsubscribe = subscribe();
      } else {
        const steps = what.steps.filter((step) => step.seq > seq);
        seq = Math.max(seq, what.session.seq);
        remainingMs = what.session.remainingMs;
        yield { session: what.session, steps };
      }
    }
  } finally {
    if (patience !== null) clearTimeout(patience);
    unsubscribe();
  }
}
