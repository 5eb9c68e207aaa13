/** After the end: what the program printed, one click away. */
import { useEffect, useRef, useState } from 'react';
import { TerminalScreen } from './terminal-screen.tsx';

export function PrintedOutput({ sessionId, providerName }: { sessionId: string; providerName: string }) {
  const [isOpen, setOpen] = useState(false);
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (isOpen) details.current?.scrollIntoView({ block: 'nearest' });
  }, [isOpen]);
  return (
    <details
      ref={details}
      className="mt-3 rounded-xl bg-sunken px-4 py-3 text-sm"
      data-testid="printed"
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary className="rounded font-medium">What the program printed</summary>
      <p className="mt-2 text-muted">Keys, tokens and codes in it are replaced by [redacted].</p>
      {isOpen ? (
        <TerminalScreen
          sessionId={sessionId}
          label={`What ${providerName} printed`}
          className="mt-3 h-64 rounded-lg border border-line"
        />
      ) : null}
    </details>
  );
}
