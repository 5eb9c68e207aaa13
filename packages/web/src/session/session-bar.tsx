/** The bar above a running sign-in: whose it is, how much time is left, and what the person can do. */
import type { Session } from '@vestibule/protocol/api';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { BackIcon, ClockIcon, Spinner } from '../ui/icons.tsx';
import type { Connection } from './push-state.ts';
import { STATUS_LABELS, toClock, toRestrictionWords } from './session-words.ts';
import { useRemaining } from './use-remaining.ts';

const ENDING_SOON_MS = 60_000;

function TimeLeft({ session, receivedAtMs }: { session: Session; receivedAtMs: number }) {
  const leftMs = useRemaining(session.remainingMs, receivedAtMs) ?? 0;
  const look = leftMs <= ENDING_SOON_MS ? 'text-bad' : 'text-muted';
  return (
    <span
      data-testid="time-left"
      className={`flex items-center gap-1.5 text-sm whitespace-nowrap tabular-nums ${look}`}
      title="The time left for this sign-in"
    >
      <ClockIcon />
      {leftMs === 0 ? 'Time is up' : `${toClock(leftMs)} left`}
    </span>
  );
}

type SessionBarProps = {
  session: Session;
  providerName: string;
  connection: Connection;
  receivedAtMs: number;
  /** The buttons. */
  children: ReactNode;
};

export function SessionBar({ session, providerName, connection, receivedAtMs, children }: SessionBarProps) {
  const restriction = toRestrictionWords(session.restriction);
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line bg-surface px-2 py-2 sm:px-4">
      <div className="flex min-w-0 flex-1 items-center gap-2">
        <Link to="/" aria-label="Back to start" className="rounded-lg p-2 text-muted hover:bg-sunken hover:text-ink">
          <BackIcon />
        </Link>
        <div className="min-w-0">
          <h1 className="truncate text-base font-semibold">Sign in to {providerName}</h1>
          <p role="status" className="flex items-center gap-1.5 truncate text-xs text-muted" data-testid="status">
            {connection === 'reconnecting' ? (
              <>
                <Spinner className="size-3.5" /> Reconnecting…
              </>
            ) : (
              STATUS_LABELS[session.status]
            )}
            {restriction === null ? null : <span data-testid="restriction">· {restriction}</span>}
          </p>
        </div>
      </div>
      {session.stage === 'installing' ? null : <TimeLeft session={session} receivedAtMs={receivedAtMs} />}
      <div className="flex w-full justify-between gap-1 sm:w-auto sm:justify-start sm:gap-2">{children}</div>
    </header>
  );
}
