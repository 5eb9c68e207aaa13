/** Erases a stored login after asking. */
import { useMutation } from '@tanstack/react-query';
import type { Credential, Provider } from '@vestibule/protocol/api';
import { useState } from 'react';
import { client } from '../api-client.ts';
import { useRefreshHome } from '../session/session-queries.ts';
import { Button } from '../ui/button.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';

export function DisconnectButton({ provider, credential }: { provider: Provider; credential: Credential }) {
  const [asking, setAsking] = useState(false);
  const refreshHome = useRefreshHome();
  const revoke = useMutation({
    mutationFn: () => client.revokeCredential(credential.userId, provider.id),
    onSuccess: () => refreshHome(credential.userId),
  });
  return (
    <>
      <Button
        variant="quiet"
        aria-label={`Disconnect ${provider.name}`}
        disabled={revoke.isPending}
        onClick={() => setAsking(true)}
      >
        Disconnect
      </Button>
      {revoke.isError ? <Notice tone="bad">{toProblemWords(revoke.error)}</Notice> : null}
      {asking ? (
        <ConfirmDialog
          title={`Disconnect ${provider.name}?`}
          confirmLabel="Disconnect"
          cancelLabel="Keep it"
          onClose={() => setAsking(false)}
          onConfirm={() => {
            setAsking(false);
            revoke.mutate();
          }}
        >
          The stored login{credential.account === null ? '' : ` of ${credential.account}`} is erased from this server.
          To end it at {provider.name} too, sign out there.
        </ConfirmDialog>
      ) : null}
    </>
  );
}
