/** Copies a text and says whether that worked. */
import { useState } from 'react';
import { Button } from './button.tsx';
import { CheckIcon, CopyIcon } from './icons.tsx';

type CopyButtonProps = { text: string; label: string };

export function CopyButton({ text, label }: CopyButtonProps) {
  const [outcome, setOutcome] = useState<'none' | 'copied' | 'blocked'>('none');
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setOutcome('copied');
  };
  return (
    <>
      <Button onClick={() => void copy().catch(() => setOutcome('blocked'))}>
        {outcome === 'copied' ? <CheckIcon className="text-good" /> : <CopyIcon />}
        {label}
      </Button>
      <span role="status" className={outcome === 'blocked' ? 'self-center text-sm text-warn' : 'sr-only'}>
        {outcome === 'copied'
          ? 'Copied'
          : outcome === 'blocked'
            ? 'Copying is not allowed here: select it instead.'
            : ''}
      </span>
    </>
  );
}
