/** Every end but success: what happened, what to do, a new start, and the technical details one click away. */
import type { Session } from '@vestibule/protocol/api';
import type { Mode, TerminalStatus } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { ReactNode } from 'react';
import { PrintedOutput } from '../terminal/printed-output.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { ClockIcon, CrossIcon, WarnIcon } from '../ui/icons.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
import { toOtherWays, WAY_WORDS, type Way } from '../ways/way-words.ts';
import { OutcomeFrame, OutcomeMark } from './outcome-frame.tsx';
import type { SessionScreenProps } from './session-screen-props.ts';
import { useStartSignIn } from './session-queries.ts';
import { END_WORDS, LATE_REFUSED_WORDS, STAGE_WORDS } from './session-words.ts';

type EndStatus = Exclude<TerminalStatus, 'completed'>;

/** Ends after which the same way would not do either. */
const ELSEWHERE: ReadonlySet<FailureCode> = new Set(['device_code_refused']);

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

/** A new sign-in by another way, for who was stopped in this one. */
function OtherWays({
  ways,
  isBusy,
  onChoose,
}: {
  ways: readonly Way[];
  isBusy: boolean;
  onChoose: (mode: Mode) => void;
}) {
  if (ways.length === 0) return null;
  return (
    <div className="mt-6" data-testid="other-ways">
      <h2 className="text-sm font-semibold">Or sign in another way</h2>
      <ul className="mt-2 space-y-2">
        {ways.map(({ mode, hint }) => (
          <li key={mode}>
            <button
              type="button"
              disabled={isBusy}
              onClick={() => onChoose(mode)}
              className="w-full rounded-xl border border-line px-4 py-3 text-left hover:bg-sunken disabled:opacity-50"
            >
              <span className="font-medium">{WAY_WORDS[mode].name}</span>
              <span className="mt-0.5 block text-sm text-muted">{hint ?? WAY_WORDS[mode].line}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function EndedScreen({
  session,
  steps,
  provider,
  providerName,
  status,
}: SessionScreenProps & { status: EndStatus }) {
  const start = useStartSignIn();
  const { userId, restriction, mayUse } = session;
  const startBy = (mode: Mode): void =>
    start.mutate({ userId, provider: session.provider, mode, mayUse, ...restriction });
  const ways = toOtherWays(provider, session.mode);
  const leadsElsewhere = ways.length > 0 && session.errorCode !== null && ELSEWHERE.has(session.errorCode);
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
    <OutcomeFrame mark={mark} heading={words.heading} lead={lead} session={session} steps={steps}>
      {session.lateRefused ? (
        <Notice tone="warn" className="mt-5">
          {LATE_REFUSED_WORDS}
        </Notice>
      ) : null}
      <p className="mt-5 text-sm text-muted">
        {leadsElsewhere ? 'The same way would end the same. Sign in another way.' : words.next}
      </p>
      <div className="mt-5 flex flex-wrap gap-3">
        <Button
          variant={leadsElsewhere ? 'secondary' : 'primary'}
          disabled={start.isPending}
          onClick={() => startBy(session.mode)}
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
      <OtherWays ways={ways} isBusy={start.isPending} onChoose={startBy} />
      <TechnicalDetails session={session} />
      <PrintedOutput sessionId={session.sessionId} providerName={providerName} />
    </OutcomeFrame>
  );
}
