/** Sign-ins that are going on, each kept up to date by its own pushes. */
import type { Provider, Session } from '@vestibule/protocol/api';
import { isTerminal } from '@vestibule/protocol/session';
import { useEffect } from 'react';
import { useRefreshHome } from '../session/session-queries.ts';
import { STATUS_LABELS, toClock } from '../session/session-words.ts';
import { useRemaining } from '../session/use-remaining.ts';
import { useSessionPushes } from '../session/use-session-pushes.ts';
import { ButtonLink } from '../ui/button.tsx';

/** Browsers open six connections to a server at most; a stream holds one. */
const MAX_WATCHED = 3;

function Row({ session, name, leftMs }: { session: Session; name: string; leftMs: number | null }) {
  const left = leftMs === null || isTerminal(session.status) ? '' : ` · ${toClock(leftMs)} left`;
  return (
    <li className="card flex flex-wrap items-center justify-between gap-3 px-5 py-4" data-session={session.sessionId}>
      <div>
        <p className="font-medium">{name}</p>
        <p className="text-sm text-muted tabular-nums" role="status">
          {STATUS_LABELS[session.status]}
          {left}
        </p>
      </div>
      <ButtonLink to={`/sessions/${session.sessionId}`} aria-label={`Open the sign-in to ${name}`}>
        Open
      </ButtonLink>
    </li>
  );
}

function WatchedRow({ session: listed, name }: { session: Session; name: string }) {
  const { session: pushed, receivedAtMs } = useSessionPushes(listed.sessionId);
  const refreshHome = useRefreshHome();
  const leftMs = useRemaining(pushed?.remainingMs ?? null, receivedAtMs);
  const ended = pushed !== null && isTerminal(pushed.status);
  useEffect(() => {
    if (ended) refreshHome(listed.userId);
  }, [ended, listed.userId, refreshHome]);
  return <Row session={pushed ?? listed} name={name} leftMs={leftMs} />;
}

type RunningSignInsProps = { sessions: readonly Session[]; providers: readonly Provider[] };

export function RunningSignIns({ sessions, providers }: RunningSignInsProps) {
  if (sessions.length === 0) return null;
  const toName = (id: string): string => providers.find((provider) => provider.id === id)?.name ?? id;
  return (
    <section aria-labelledby="running" className="mt-10">
      <h2 id="running" className="text-lg font-semibold tracking-tight">
        Going on now
      </h2>
      <ul className="mt-3 space-y-3">
        {sessions.map((session, index) =>
          index < MAX_WATCHED ? (
            <WatchedRow key={session.sessionId} session={session} name={toName(session.provider)} />
          ) : (
            <Row key={session.sessionId} session={session} name={toName(session.provider)} leftMs={null} />
          ),
        )}
      </ul>
    </section>
  );
}
