/** Success: who is connected, what is stored, who can read it, and what becomes of the sign-in machine. Says nothing of failing. */
import type { ReactNode } from 'react';
import { ButtonLink } from '../ui/button.tsx';
import { CheckIcon } from '../ui/icons.tsx';
import { toDateTimeWords } from '../ui/date-words.ts';
import { OutcomeFrame, OutcomeMark } from './outcome-frame.tsx';
import type { SessionScreenProps } from './session-screen-props.ts';
import { GRADE_WORDS, toMachineWords } from './session-words.ts';
import { useRemaining } from './use-remaining.ts';

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="py-4">
      <dt className="text-sm font-semibold">{term}</dt>
      <dd className="mt-1 text-sm text-muted">{children}</dd>
    </div>
  );
}

export function ConnectedScreen({ session, steps, providerName, receivedAtMs }: SessionScreenProps) {
  const destroyInMs = useRemaining(session.vm?.destroyInMs ?? null, receivedAtMs);
  const mark = (
    <OutcomeMark look="bg-good-soft text-good">
      <CheckIcon />
    </OutcomeMark>
  );
  const lead = (
    <p>
      {providerName} is ready to use for <strong className="font-medium text-ink">{session.userId}</strong>.
    </p>
  );
  return (
    <OutcomeFrame mark={mark} heading="Connected" lead={lead} session={session} steps={steps}>
      <dl className="mt-6 divide-y divide-line border-y border-line">
        <Fact term="Account">
          <span className="break-words" data-testid="account">
            {session.account ?? `${providerName} does not say which account it is.`}
          </span>
          {session.accountPlan === null ? null : (
            <span className="block" data-testid="account-plan">
              Plan: {session.accountPlan}
            </span>
          )}
        </Fact>
        {session.grade === null ? null : (
          <Fact term="How sure it is">
            <span data-testid="grade">{GRADE_WORDS[session.grade]}</span>
          </Fact>
        )}
        <Fact term="What is stored">
          The login that {providerName} itself wrote when you signed in
          {session.completedAt === null ? null : <>, on {toDateTimeWords(session.completedAt)}</>}.{' '}
          {session.mode === 'token' ? null : <> Not your password, and nothing else from the browser.</>}
        </Fact>
        <Fact term="Who can read it">
          It is encrypted on this server. Whoever runs this server holds the key and can open it; nobody else can, and
          this page never shows it.
        </Fact>
        <Fact term="What happens next">
          <span data-testid="machine">{toMachineWords(session.vm, destroyInMs)}</span> How it ends does not matter: your
          login is stored.
        </Fact>
      </dl>
      <div className="mt-6">
        <ButtonLink to="/" variant="primary">
          Done
        </ButtonLink>
      </div>
    </OutcomeFrame>
  );
}
