/** Cancels the sign-in after asking. The answer may be that it ended otherwise meanwhile: the page is told that by push anyway. */
import { AppError } from '@vestibule/protocol/errors';
import { useState } from 'react';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { CrossIcon } from '../ui/icons.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
import { useCancelSignIn } from './session-queries.ts';
import { ToolButton } from './tool-button.tsx';

function isOverAlready(error: unknown): boolean {
  return error instanceof AppError && error.code === 'session_ended';
}

export function CancelButton({ sessionId }: { sessionId: string }) {
  const [asking, setAsking] = useState(false);
  const cancel = useCancelSignIn(sessionId);
  const problem = cancel.isError && !isOverAlready(cancel.error) ? toProblemWords(cancel.error) : null;
  return (
    <>
      <ToolButton
        icon={<CrossIcon />}
        label={cancel.isPending ? 'Cancelling…' : 'Cancel'}
        disabled={cancel.isPending}
        onClick={() => setAsking(true)}
      />
      {asking ? (
        <ConfirmDialog
          title="Cancel this sign-in?"
          confirmLabel="Cancel the sign-in"
          cancelLabel="Go on signing in"
          onClose={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false);
            cancel.mutate();
          }}
        >
          The sign-in ends here and nothing is stored. A login stored earlier stays as it is.
        </ConfirmDialog>
      ) : null}
      {problem === null ? null : (
        <ConfirmDialog
          title="That did not work"
          confirmLabel="Try again"
          cancelLabel="Close"
          onClose={() => cancel.reset()}
          onConfirm={() => cancel.mutate()}
        >
          {problem}
        </ConfirmDialog>
      )}
    </>
  );
}
