/** The frame of a session's end: mark, heading (which takes the focus, for the live view that had it is gone), content, steps. */
import type { Session } from '@vestibule/protocol/api';
import type { SessionStep } from '@vestibule/protocol/session';
import type { ReactNode } from 'react';
import { useEffect, useRef } from 'react';
import { CentredPage } from '../ui/page-shell.tsx';
import { WhatHappened } from './timeline.tsx';

type OutcomeFrameProps = {
  mark: ReactNode;
  heading: string;
  lead: ReactNode;
  children: ReactNode;
  session: Pick<Session, 'sessionId' | 'vm'>;
  steps: readonly SessionStep[];
};

export function OutcomeFrame({ mark, heading, lead, children, session, steps }: OutcomeFrameProps) {
  const headingRef = useRef<HTMLHeadingElement>(null);
  useEffect(() => headingRef.current?.focus(), []);
  return (
    <CentredPage>
      <div className="card p-6 sm:p-8" data-testid="outcome">
        {mark}
        <h1 ref={headingRef} tabIndex={-1} className="mt-5 text-3xl font-semibold tracking-tight outline-none">
          {heading}
        </h1>
        <div className="mt-2 text-muted">{lead}</div>
        {children}
      </div>
      <WhatHappened steps={steps} machineLogOf={session.vm && session.sessionId} />
    </CentredPage>
  );
}

export function OutcomeMark({ look, children }: { look: string; children: ReactNode }) {
  return (
    <div className={`flex size-14 items-center justify-center rounded-full [&>svg]:size-7 ${look}`}>{children}</div>
  );
}
