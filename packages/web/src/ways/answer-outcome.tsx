/** What became of an answer: refused in words, or given to the program. */
import { Notice } from '../ui/notice.tsx';
import { Spinner } from '../ui/icons.tsx';
import { toProblemWords } from '../ui/problem-words.ts';

type AnswerOutcomeProps = {
  answer: { isSuccess: boolean; isError: boolean; error: unknown };
  providerName: string;
};

export function AnswerOutcome({ answer, providerName }: AnswerOutcomeProps) {
  if (answer.isError)
    return (
      <Notice tone="bad" className="mt-4">
        <span data-testid="answer-refused">{toProblemWords(answer.error)}</span>
      </Notice>
    );
  if (!answer.isSuccess) return null;
  return (
    <p role="status" className="mt-4 flex items-center gap-2 text-sm">
      <Spinner className="text-accent" /> Given to {providerName}. It now finishes the sign-in.
    </p>
  );
}
