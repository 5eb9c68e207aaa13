/** What is happening until the live view can be shown, and why it waits. */
import type { Session } from '@vestibule/protocol/api';
import type { SessionStep } from '@vestibule/protocol/session';
import type { ReactNode } from 'react';
import { CheckIcon, Spinner } from '../ui/icons.tsx';
import type { Preparation } from './preparations.ts';
import { toPreparations } from './preparations.ts';

const MARKS: Record<Preparation['state'], { icon: ReactNode; said: string; look: string }> = {
  done: { icon: <CheckIcon className="text-good" />, said: 'Done: ', look: '' },
  now: { icon: <Spinner className="text-accent" />, said: 'Now: ', look: '' },
  later: {
    icon: <span className="m-1.5 block size-2 rounded-full border-[1.5px] border-muted" />,
    said: 'Later: ',
    look: 'text-muted',
  },
};

export function Preparing({ session, steps }: { session: Session; steps: readonly SessionStep[] }) {
  return (
    <div className="flex size-full items-center justify-center overflow-auto p-4">
      <section aria-labelledby="preparing" className="card w-full max-w-md p-6 sm:p-8" data-testid="preparing">
        <h2 id="preparing" className="text-xl font-semibold tracking-tight">
          {session.mode === 'vm_browser' ? 'Preparing your sign-in browser' : 'Preparing your sign-in'}
        </h2>
        <p className="mt-2 text-sm text-muted">
          {session.mode === 'vm_browser' ? 'It opens here by itself.' : 'What you need is shown here by itself.'}
        </p>
        <ul className="mt-6 space-y-3">
          {toPreparations(session, steps).map(({ id, label, state, detail }) => (
            <li key={id} data-preparation={id} data-state={state} className={`flex gap-3 ${MARKS[state].look}`}>
              <span className="mt-0.5">{MARKS[state].icon}</span>
              <span className="min-w-0">
                <span className="sr-only">{MARKS[state].said}</span>
                {label}
                {detail === null ? null : <span className="block text-sm break-words text-muted">{detail}</span>}
              </span>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
