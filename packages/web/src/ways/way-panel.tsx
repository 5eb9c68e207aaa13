/** The frame of a way to sign in that needs no live view: a heading, what to do, and the switch to another way below. */
import type { ReactNode } from 'react';

export function WayPanel({ heading, lead, children }: { heading: string; lead: ReactNode; children: ReactNode }) {
  return (
    <div className="size-full overflow-auto p-4" data-testid="way">
      <section aria-labelledby="way" className="card mx-auto my-2 w-full max-w-xl p-5 sm:my-8 sm:p-8">
        <h2 id="way" className="text-xl font-semibold tracking-tight">
          {heading}
        </h2>
        <div className="mt-2 text-muted">{lead}</div>
        {children}
      </section>
    </div>
  );
}

/** One step of what to do, numbered. */
export function WayStep({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <section className="mt-6 flex gap-3">
      <span
        aria-hidden="true"
        className="flex size-7 shrink-0 items-center justify-center rounded-full bg-accent-soft text-sm font-semibold text-accent"
      >
        {number}
      </span>
      <div className="min-w-0 flex-1">
        <h3 className="pt-0.5 font-medium">{title}</h3>
        <div className="mt-2">{children}</div>
      </div>
    </section>
  );
}
