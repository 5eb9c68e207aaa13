/** One provider: what it is, whether it is connected, and what can be done. */
import type { Credential, Provider, Session } from '@vestibule/protocol/api';
import { useState } from 'react';
import { ConnectDialog } from '../connect/connect-dialog.tsx';
import { NoticeDialog } from '../connect/notice-dialog.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { toDateTimeWords } from '../ui/date-words.ts';
import { CheckIcon } from '../ui/icons.tsx';
import { Notice } from '../ui/notice.tsx';
import { DisconnectButton } from './disconnect-button.tsx';
import { WaysToSignIn } from './ways-to-sign-in.tsx';

type ProviderCardProps = {
  provider: Provider;
  userId: string;
  credential: Credential | null;
  /** The sign-in that is going on for this provider. */
  running: Session | null;
};

function Standing({ provider, credential }: Pick<ProviderCardProps, 'provider' | 'credential'>) {
  if (credential !== null) {
    return (
      <p className="flex items-start gap-2 text-sm">
        <CheckIcon className="text-good" />
        <span className="min-w-0">
          <span className="break-words">
            Connected{credential.account === null ? '' : ' as '}
            <strong className="font-medium">{credential.account}</strong>
          </span>
          <span className="block text-muted">since {toDateTimeWords(credential.createdAt)}</span>
        </span>
      </p>
    );
  }
  if (!provider.available) return null;
  return (
    <p className="text-sm text-muted">
      {provider.installed ? 'Not connected' : 'Not connected. The first sign-in installs the program on this server.'}
    </p>
  );
}

/** Asks first what there is to know before signing in; or, for a provider with a notice, the operator to read that. */
function ConnectButtons({
  provider,
  userId,
  credential,
}: Pick<ProviderCardProps, 'provider' | 'userId' | 'credential'>) {
  const [open, setOpen] = useState<'connect' | 'notice' | null>(null);
  const { name, notice } = provider;
  const verb = credential === null ? 'Connect' : 'Reconnect';
  const close = (): void => setOpen(null);
  return (
    <>
      {notice !== null && notice.acceptedAt === null ? (
        <Button variant="primary" aria-label={`Read the notice of ${name}`} onClick={() => setOpen('notice')}>
          Read the notice
        </Button>
      ) : (
        <Button
          variant={credential === null ? 'primary' : 'secondary'}
          aria-label={`${verb} ${name}`}
          disabled={!provider.available}
          onClick={() => setOpen('connect')}
        >
          {verb}
        </Button>
      )}
      {notice !== null && notice.acceptedAt !== null ? (
        <Button variant="quiet" aria-label={`Read the notice of ${name}`} onClick={() => setOpen('notice')}>
          Notice
        </Button>
      ) : null}
      {open === 'connect' ? <ConnectDialog {...{ provider, userId, verb }} onClose={close} /> : null}
      {open === 'notice' && notice !== null ? <NoticeDialog {...{ provider, notice }} onClose={close} /> : null}
    </>
  );
}

/** For whom it works, and whether anybody has tried it. */
function Labels({ provider }: Pick<ProviderCardProps, 'provider'>) {
  if (provider.audience === null && !provider.untested) return null;
  return (
    <div className="mb-4 space-y-1.5 text-sm" data-testid="labels">
      {provider.untested ? (
        <p>
          <span className="rounded-full bg-warn-soft px-2.5 py-0.5 text-xs font-medium text-warn">Untested</span>{' '}
          <span className="text-muted">Nobody has tried this definition yet.</span>
        </p>
      ) : null}
      {provider.audience === null ? null : <p className="text-muted">{provider.audience}</p>}
    </div>
  );
}

/** Why one cannot sign in here now; the notice to accept is said in the card's own words. */
function Unavailable({ provider }: Pick<ProviderCardProps, 'provider'>) {
  const { notice } = provider;
  if (notice !== null && notice.acceptedAt === null)
    return (
      <Notice tone="info">Not offered yet. Whoever runs this server must read its notice and accept it, once.</Notice>
    );
  if (provider.available) return null;
  return <Notice tone="warn">{provider.reason ?? 'This provider cannot be used here now.'}</Notice>;
}

export function ProviderCard({ provider, userId, credential, running }: ProviderCardProps) {
  const { id, name } = provider;
  return (
    <article aria-labelledby={`provider-${id}`} className="card flex flex-col p-5 sm:p-6" data-provider={id}>
      <div className="flex items-baseline justify-between gap-3">
        <h3 id={`provider-${id}`} className="text-lg font-semibold tracking-tight">
          {name}
        </h3>
        <span className="font-mono text-xs text-muted">{provider.version}</span>
      </div>
      <p className="mt-1.5 mb-4 text-sm text-muted">
        {provider.description}{' '}
        {provider.homepage === null ? null : (
          <a className="link whitespace-nowrap" href={provider.homepage} target="_blank" rel="noreferrer">
            Website
          </a>
        )}
      </p>
      <Labels provider={provider} />
      <div className="mt-auto space-y-4">
        <Standing provider={provider} credential={credential} />
        <Unavailable provider={provider} />
        <WaysToSignIn provider={provider} />
        <div className="flex flex-wrap gap-2">
          {running === null ? (
            <ConnectButtons {...{ provider, userId, credential }} />
          ) : (
            <ButtonLink
              to={`/sessions/${running.sessionId}`}
              variant="primary"
              aria-label={`Continue signing in to ${name}`}
            >
              Continue signing in
            </ButtonLink>
          )}
          {credential === null ? null : <DisconnectButton provider={provider} credential={credential} />}
        </div>
      </div>
    </article>
  );
}
