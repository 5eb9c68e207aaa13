/** A command to run elsewhere, with a button that copies it. */
import { useState } from 'react';
import { CheckIcon, CopyIcon } from './icons.tsx';

export function CopyableCommand({ command }: { command: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(command);
    setCopied(true);
  };
  return (
    <div className="mt-2 flex items-start gap-2 rounded-lg border border-line bg-surface pl-3">
      <code className="min-w-0 flex-1 py-2 font-mono text-[0.8125rem] break-words whitespace-pre-wrap">{command}</code>
      <button
        type="button"
        aria-label={copied ? 'Copied' : `Copy the command ${command}`}
        className="rounded-lg p-2 text-muted hover:text-ink"
        onClick={() => void copy().catch(() => setCopied(false))}
      >
        {copied ? <CheckIcon className="text-good" /> : <CopyIcon />}
      </button>
    </div>
  );
}
