/** One provider: what it is, whether it is connected, and what can be done. */
import type { Credential, Provider, Session } from '@vestibule/protocol/api';
import { useStartSignIn } from '../session/session-queries.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { toDateTimeWords } from '../ui/date-words.ts';
import { CheckIcon } from '../ui/icons.tsx';
import { Notice } from '../ui/notice.tsx';
import { toProblemWords } from '../ui/problem-words.ts';
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

export function ProviderCard({ provider, userId, credential, running }: ProviderCardProps) {
  const start = useStartSignIn();
  const { id, name } = provider;
  const verb = credential === null ? 'Connect' : 'Reconnect';
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
      <div className="mt-auto space-y-4">
        <Standing provider={provider} credential={credential} />
        {provider.available ? null : (
          <Notice tone="warn">{provider.reason ?? 'This provider cannot be used here now.'}</Notice>
        )}
        <WaysToSignIn provider={provider} />
        {start.isError ? <Notice tone="bad">{toProblemWords(start.error)}</Notice> : null}
        <div className="flex flex-wrap gap-2">
          {running === null ? (
            <Button
              variant={credential === null ? 'primary' : 'secondary'}
              aria-label={`${verb} ${name}`}
              disabled={!provider.available || start.isPending}
              onClick={() => start.mutate({ userId, provider: id })}
            >
              {start.isPending ? 'Starting…' : verb}
            </Button>
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
