/** One sign-in: subscribes to its pushes and shows the screen of its status. */
import type { Session } from '@vestibule/protocol/api';
import { isTerminal } from '@vestibule/protocol/session';
import { useEffect } from 'react';
import { useParams } from 'react-router';
import { ConnectedScreen } from '../session/connected-screen.tsx';
import { EndedScreen } from '../session/ended-screen.tsx';
import type { Connection } from '../session/push-state.ts';
import type { SessionScreenProps } from '../session/session-screen-props.ts';
import { useProvider, useRefreshHome } from '../session/session-queries.ts';
import { STATUS_LABELS } from '../session/session-words.ts';
import { useSessionPushes } from '../session/use-session-pushes.ts';
import { WorkingScreen } from '../session/working-screen.tsx';
import { Spinner } from '../ui/icons.tsx';
import { CentredPage } from '../ui/page-shell.tsx';
import { NotFoundPage } from './not-found-page.tsx';

export function SessionPage() {
  const { sessionId = '' } = useParams();
  return <PushedSession key={sessionId} sessionId={sessionId} />;
}

function PushedSession({ sessionId }: { sessionId: string }) {
  const { session, steps, receivedAtMs, connection, refusal } = useSessionPushes(sessionId);
  const provider = useProvider(session?.provider, session?.userId);
  const providerName = provider?.name ?? session?.provider ?? '';
  useRefreshAtEnd(session);
  if (refusal === 'not_found') {
    return (
      <NotFoundPage
        heading="There is no such sign-in"
        words="It may belong to another server. Start a new one from the first page."
      />
    );
  }
  if (session === null) {
    return (
      <CentredPage>
        <p role="status" className="flex items-center justify-center gap-3 text-muted">
          <Spinner /> {connection === 'reconnecting' ? 'Reconnecting…' : 'Opening the sign-in…'}
        </p>
      </CentredPage>
    );
  }
  return (
    <>
      <title>{`${STATUS_LABELS[session.status]} · ${providerName} · Vestibule`}</title>
      <StatusScreen {...{ session, steps, provider, providerName, receivedAtMs, connection }} />
    </>
  );
}

function StatusScreen({ connection, ...props }: SessionScreenProps & { connection: Connection }) {
  const { status } = props.session;
  switch (status) {
    case 'started':
    case 'vm_created':
    case 'awaiting_user_auth':
      return <WorkingScreen {...props} connection={connection} />;
    case 'completed':
      return <ConnectedScreen {...props} />;
    case 'failed':
    case 'timeout':
    case 'cancelled':
      return <EndedScreen {...props} status={status} />;
    default:
      return status satisfies never;
  }
}

function useRefreshAtEnd(session: Session | null): void {
  const refreshHome = useRefreshHome();
  const endedUser = session !== null && isTerminal(session.status) ? session.userId : null;
  useEffect(() => {
    if (endedUser !== null) refreshHome(endedUser);
  }, [endedUser, refreshHome]);
}
