/** The steps of a session in order, each with its time, what happened, who did it and why. */
import { ROUTES } from '@vestibule/protocol/routes';
import type { SessionStep } from '@vestibule/protocol/session';
import { toStepWords } from './step-words.ts';
import { ACTOR_WORDS, type StepTone, toCauseWords, toElapsedWords, toEndCode, toTone } from './timeline-words.ts';

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

const DOTS: Record<StepTone, string> = {
  good: 'bg-good',
  bad: 'bg-bad',
  warn: 'bg-warn',
  plain: 'bg-muted',
};

function Step({ step, start }: { step: SessionStep; start: string }) {
  const cause = toCauseWords(step);
  const code = toEndCode(step);
  return (
    <li data-step={step.type} className="relative">
      <span
        aria-hidden="true"
        className={`absolute top-1.5 -left-[1.3125rem] size-2 rounded-full ring-4 ring-surface ${DOTS[toTone(step)]}`}
      />
      <div className="flex items-baseline justify-between gap-3">
        <span className="min-w-0 break-words">{toStepWords(step)}</span>
        <time dateTime={step.at} title={step.at} className="shrink-0 text-xs whitespace-nowrap text-muted tabular-nums">
          {TIME.format(new Date(step.at))}
        </time>
      </div>
      {cause === null ? null : <p className="mt-0.5 text-[0.8125rem] break-words text-muted">{cause}</p>}
      <p className="mt-0.5 flex flex-wrap gap-x-2 text-xs text-muted">
        <span>{ACTOR_WORDS[step.actor]}</span>
        <span className="tabular-nums">{toElapsedWords(step.at, start)}</span>
        {code === null ? null : <code className="code">{code}</code>}
      </p>
    </li>
  );
}

type TimelineProps = {
  steps: readonly SessionStep[];
  /** Null when the session has no machine. */
  machineLogOf: string | null;
};

export function Timeline({ steps, machineLogOf }: TimelineProps) {
  const [first] = steps;
  if (first === undefined) return <p className="text-sm text-muted">Nothing has happened yet.</p>;
  return (
    <>
      <ol aria-label="Steps" data-testid="steps" className="space-y-4 border-l border-line pl-4 text-sm">
        {steps.map((step) => (
          <Step key={step.seq} step={step} start={first.at} />
        ))}
      </ol>
      {machineLogOf === null ? null : (
        <p className="mt-4 text-sm">
          <a className="link" href={ROUTES.machineLog(machineLogOf)} target="_blank" rel="noreferrer">
            Log of the sign-in machine
          </a>
        </p>
      )}
    </>
  );
}

/** The same, one click away, once the session has ended. */
export function WhatHappened(props: TimelineProps) {
  return (
    <details className="card mt-4 px-5 py-3 sm:px-6" data-testid="what-happened">
      <summary className="rounded text-sm font-medium">What happened</summary>
      <div className="mt-4 mb-2 ml-1.5">
        <Timeline {...props} />
      </div>
    </details>
  );
}
