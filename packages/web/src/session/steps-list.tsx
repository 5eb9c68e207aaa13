/** The steps of a session in order, each with its time. */
import type { SessionStep } from '@vestibule/protocol/session';
import { toStepWords } from './step-words.ts';

const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function StepsList({ steps }: { steps: readonly SessionStep[] }) {
  if (steps.length === 0) return <p className="text-sm text-muted">Nothing has happened yet.</p>;
  return (
    <ol aria-label="Steps" data-testid="steps" className="space-y-2.5 border-l border-line pl-4 text-sm">
      {steps.map((step) => (
        <li key={step.seq} data-step={step.type} className="relative">
          <span aria-hidden="true" className="absolute top-2 -left-[1.21rem] size-1.5 rounded-full bg-muted" />
          <span className="break-words">{toStepWords(step)}</span>{' '}
          <time dateTime={step.at} className="text-xs whitespace-nowrap text-muted tabular-nums">
            {TIME.format(new Date(step.at))}
          </time>
        </li>
      ))}
    </ol>
  );
}

/** The same, one click away. */
export function StepsDetails({ steps }: { steps: readonly SessionStep[] }) {
  return (
    <details className="card mt-4 px-5 py-3">
      <summary className="rounded text-sm font-medium">All steps</summary>
      <div className="mt-4 mb-2">
        <StepsList steps={steps} />
      </div>
    </details>
  );
}
