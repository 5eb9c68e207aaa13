/** Signing in with a code on any device: the code, where to enter it, and how long it counts. */
import type { Session } from '@vestibule/protocol/api';
import { useStartSignIn } from '../session/session-queries.ts';
import { toClock } from '../session/session-words.ts';
import { useRemaining } from '../session/use-remaining.ts';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { ClockIcon, Spinner } from '../ui/icons.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
import { SignInLink } from './sign-in-link.tsx';
import type { PresentOffer } from './use-offer.ts';
import { WayPanel, WayStep } from './way-panel.tsx';

const ENDING_SOON_MS = 60_000;

type DeviceCodeWayProps = { session: Session; providerName: string; present: PresentOffer; hasOtherWays: boolean };

function CodeTime({ leftMs }: { leftMs: number }) {
  return (
    <p
      data-testid="code-time"
      className={`mt-2 flex items-center gap-1.5 text-sm tabular-nums ${leftMs <= ENDING_SOON_MS ? 'text-bad' : 'text-muted'}`}
    >
      <ClockIcon /> The code counts for another {toClock(leftMs)}
    </p>
  );
}

/** A code cannot be renewed inside a sign-in; a new sign-in takes the place of this one. */
function ExpiredNotice({ session, hasOtherWays }: Pick<DeviceCodeWayProps, 'session' | 'hasOtherWays'>) {
  const start = useStartSignIn();
  const { userId, provider, mode, restriction, mayUse } = session;
  return (
    <Notice tone="warn" className="mt-5">
      <p className="font-semibold">The code has expired.</p>
      <p className="mt-1">
        Start again to get a new one{hasOtherWays ? ', or sign in another way.' : '.'} If you had entered the code in
        time, just wait.
      </p>
      <Button
        className="mt-3"
        disabled={start.isPending}
        onClick={() => start.mutate({ userId, provider, mode, mayUse, supersede: true, ...restriction })}
      >
        Start again with a new code
      </Button>
      {start.isError ? <p className="mt-2 text-bad">{toProblemWords(start.error)}</p> : null}
    </Notice>
  );
}

/** For a page that is opened when the code is known no more. */
export function ExpiredCode(props: Pick<DeviceCodeWayProps, 'session' | 'hasOtherWays'>) {
  return (
    <WayPanel heading="Sign in with a code" lead="Any device will do.">
      <ExpiredNotice {...props} />
    </WayPanel>
  );
}

export function DeviceCodeWay({ session, providerName, present, hasOtherWays }: DeviceCodeWayProps) {
  const { offer, receivedAtMs } = present;
  const leftMs = useRemaining(offer.validForMs, receivedAtMs);
  const isExpired = leftMs === 0;
  return (
    <WayPanel
      heading="Enter this code where you are signed in"
      lead="Any device will do: this one, another computer, a phone."
    >
      {isExpired ? <ExpiredNotice session={session} hasOtherWays={hasOtherWays} /> : null}
      <WayStep number={1} title="Open this page">
        {offer.url === null ? null : <SignInLink url={offer.url} openLabel="Open it in a new tab" />}
      </WayStep>
      <WayStep number={2} title="Enter the code there">
        <div className="flex flex-wrap items-center gap-3">
          <output
            aria-label="The code"
            data-testid="device-code"
            className={`rounded-xl bg-sunken px-4 py-2 font-mono text-[clamp(1.5rem,7vw,2.25rem)] font-semibold tracking-wider whitespace-nowrap select-all ${isExpired ? 'line-through opacity-60' : ''}`}
          >
            {offer.deviceCode}
          </output>
          {offer.deviceCode === null ? null : <CopyButton text={offer.deviceCode} label="Copy the code" />}
        </div>
        {leftMs === null || isExpired ? null : <CodeTime leftMs={leftMs} />}
        <p className="mt-3 text-sm text-muted">
          Enter it only because you started this sign-in yourself. Whoever gave you a code that you did not ask for
          wants your account.
        </p>
      </WayStep>
      <p role="status" className="mt-6 flex items-center gap-2 text-sm text-muted">
        <Spinner className="text-accent" /> Waiting for {providerName} to be told. This page changes by itself.
      </p>
    </WayPanel>
  );
}
