/** Every end but success: what happened, what to do, a new start, and the technical details one click away. */
import type { Session } from '@vestibule/protocol/api';
import type { TerminalStatus } from '@vestibule/protocol/session';
import type { ReactNode } from 'react';
import { Button, ButtonLink } from '../ui/button.tsx';
import { ClockIcon, CrossIcon, WarnIcon } from '../ui/icons.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
import { OutcomeFrame, OutcomeMark } from './outcome-frame.tsx';
import type { SessionScreenProps } from './session-screen-props.ts';
import { useStartSignIn } from './session-queries.ts';
import { END_WORDS, LATE_REFUSED_WORDS, STAGE_WORDS } from './session-words.ts';

type EndStatus = Exclude<TerminalStatus, 'completed'>;

const MARKS: Record<EndStatus, { icon: ReactNode; look: string }> = {
  failed: { icon: <WarnIcon />, look: 'bg-bad-soft text-bad' },
  timeout: { icon: <ClockIcon />, look: 'bg-warn-soft text-warn' },
  cancelled: { icon: <CrossIcon />, look: 'bg-sunken text-muted' },
};

function TechnicalDetails({ session }: { session: Session }) {
  const { vm } = session;
  const machine = vm === null ? 'none' : `${vm.vmId} (${vm.runtime}), ${vm.state}`;
  const rows = [
    ['Session', session.sessionId],
    ['Status', session.status],
    ['Code', session.errorCode ?? 'none'],
    ['Stage', session.errorStage ?? 'none'],
    ['Machine', machine],
    ['Its end', vm?.exitReason ?? 'not known'],
  ];
  return (
    <details className="mt-6 rounded-xl bg-sunken px-4 py-3 text-sm">
      <summary className="rounded font-medium">Technical details</summary>
      <dl className="mt-3 grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1.5">
        {rows.map(([term, value]) => (
          <div key={term} className="contents">
            <dt className="text-muted">{term}</dt>
            <dd className="font-mono text-[0.8125rem] break-words">{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

export function EndedScreen({ session, steps, providerName, status }: SessionScreenProps & { status: EndStatus }) {
  const start = useStartSignIn();
  const words = END_WORDS[status];
  const mark = <OutcomeMark look={MARKS[status].look}>{MARKS[status].icon}</OutcomeMark>;
  const lead = (
    <>
      <p className="text-ink" data-testid="error-message">
        {session.errorMessage}
      </p>
      {session.errorStage === null ? null : (
        <p className="mt-2 text-sm">
          It ended {STAGE_WORDS[session.errorStage]}, for {providerName} and {session.userId}.
        </p>
      )}
    </>
  );
  return (
    <OutcomeFrame mark={mark} heading={words.heading} lead={lead} steps={steps}>
      {session.lateRefused ? (
        <Notice tone="warn" className="mt-5">
          {LATE_REFUSED_WORDS}
        </Notice>
      ) : null}
      <p className="mt-5 text-sm text-muted">{words.next}</p>
      <div className="mt-5 flex flex-wrap gap-3">
        <Button
          variant="primary"
          disabled={start.isPending}
          onClick={() => start.mutate({ userId: session.userId, provider: session.provider, mode: session.mode })}
        >
          Start again
        </Button>
        <ButtonLink to="/">Back to start</ButtonLink>
      </div>
      {start.isError ? (
        <Notice tone="bad" className="mt-4">
          {toProblemWords(start.error)}
        </Notice>
      ) : null}
      <TechnicalDetails session={session} />
    </OutcomeFrame>
  );
}
