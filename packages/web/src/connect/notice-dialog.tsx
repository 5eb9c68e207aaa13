/** What the operator must read and accept once before a provider is offered. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Provider } from '@vestibule/protocol/api';
import { client } from '../api-client.ts';
import { PROVIDERS_KEY } from '../session/session-queries.ts';
import { Button } from '../ui/button.tsx';
import { toDateTimeWords } from '../ui/date-words.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
import { toParagraphs } from './notice-paragraphs.ts';

type NoticeDialogProps = { provider: Provider; notice: NonNullable<Provider['notice']>; onClose: () => void };

function useAcceptNotice(onAccepted: () => void) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ provider, hash }: { provider: string; hash: string }) => client.acceptNotice(provider, hash),
    // Also after a refusal: the text may be another one now.
    onSettled: () => queryClient.invalidateQueries({ queryKey: PROVIDERS_KEY }),
    onSuccess: onAccepted,
  });
}

export function NoticeDialog({ provider, notice, onClose }: NoticeDialogProps) {
  const accept = useAcceptNotice(onClose);
  const actions =
    notice.acceptedAt === null ? (
      <>
        <Button onClick={onClose}>Not now</Button>
        <Button
          variant="primary"
          disabled={accept.isPending}
          onClick={() => accept.mutate({ provider: provider.id, hash: notice.hash })}
        >
          Accept and offer {provider.name}
        </Button>
      </>
    ) : (
      <Button onClick={onClose}>Close</Button>
    );
  return (
    <Dialog title={notice.title} actions={actions} onClose={onClose} wide>
      <div className="mt-3 space-y-3 text-sm" data-testid="notice-text">
        {toParagraphs(notice.text).map((paragraph) => (
          <p key={paragraph} className="break-words whitespace-pre-line">
            {paragraph}
          </p>
        ))}
      </div>
      <p className="mt-4 text-sm text-muted">
        {notice.acceptedAt === null
          ? 'Accepting is for you who run this server. It is recorded with the time and with this very text.'
          : `Accepted on ${toDateTimeWords(notice.acceptedAt)}.`}
      </p>
      {accept.isError ? (
        <Notice tone="bad" className="mt-4">
          {toProblemWords(accept.error)}
        </Notice>
      ) : null}
    </Dialog>
  );
}
