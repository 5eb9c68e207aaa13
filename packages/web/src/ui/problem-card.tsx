/** A request that did not work out, with a way to try again. */
import { Button } from './button.tsx';
import { toProblemWords } from './problem-words.ts';
import { WarnIcon } from './icons.tsx';

export function ProblemCard({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return (
    <div role="alert" className="card flex flex-col items-start gap-4 p-6 sm:flex-row sm:items-center">
      <WarnIcon className="text-warn" />
      <p className="flex-1">{toProblemWords(error)}</p>
      <Button onClick={onRetry}>Try again</Button>
    </div>
  );
}
