/** The frames of pages: one with the product's header, one that centres a single card. */
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { DoorMark } from './icons.tsx';

function Brand() {
  return (
    <Link to="/" className="flex items-center gap-2.5 rounded-lg text-[1.05rem] font-semibold tracking-tight">
      <DoorMark /> Vestibule
    </Link>
  );
}

export function PageShell({ actions, children }: { actions?: ReactNode; children: ReactNode }) {
  return (
    <div className="mx-auto flex min-h-full w-full max-w-4xl flex-col px-4 sm:px-6">
      <header className="flex items-center justify-between py-5">
        <Brand />
        {actions}
      </header>
      <main className="flex-1 pb-16">{children}</main>
    </div>
  );
}

export function CentredPage({ children }: { children: ReactNode }) {
  return (
    <div className="mx-auto flex min-h-full w-full max-w-xl flex-col px-4 sm:px-6">
      <header className="py-5">
        <Brand />
      </header>
      <main className="flex flex-1 flex-col justify-center pb-24">{children}</main>
    </div>
  );
}
