/** The first page: for whom, what this server can do, sign-ins that are going on, and one card for each provider. */
import { useQuery } from '@tanstack/react-query';
import { isTerminal } from '@vestibule/protocol/session';
import { useState } from 'react';
import { client } from '../api-client.ts';
import { findCurrentCredential } from '../home/current-credential.ts';
import { ProviderCard } from '../home/provider-card.tsx';
import { loadUser, saveUser } from '../home/remembered-user.ts';
import { RunningSignIns } from '../home/running-sign-ins.tsx';
import { MissingNotices, ServerNotices } from '../home/server-notices.tsx';
import { UserField } from '../home/user-field.tsx';
import { useSignOut } from '../operator/use-operator.ts';
import { toCredentialsKey, toProvidersKey, toSessionsKey } from '../session/session-queries.ts';
import { Button } from '../ui/button.tsx';
import { PageShell } from '../ui/page-shell.tsx';
import { ProblemCard } from '../ui/problem-card.tsx';

function SignOutButton() {
  const signOut = useSignOut();
  return (
    <Button variant="quiet" disabled={signOut.isPending} onClick={() => signOut.mutate()}>
      Sign out
    </Button>
  );
}

function LoadingCards() {
  return (
    <div role="status" aria-label="Loading" className="mt-4 grid animate-pulse gap-4 sm:grid-cols-2">
      {[1, 2].map((card) => (
        <div key={card} className="card h-44" />
      ))}
    </div>
  );
}

function Providers({ userId }: { userId: string }) {
  const providers = useQuery({ queryKey: toProvidersKey(userId), queryFn: () => client.listProviders(userId) });
  const credentials = useQuery({
    queryKey: toCredentialsKey(userId),
    queryFn: () => client.listCredentials(userId),
  });
  const sessions = useQuery({ queryKey: toSessionsKey(userId), queryFn: () => client.listSessions(userId) });
  const broken = [providers, credentials, sessions].find((query) => query.isError && query.data === undefined);
  if (broken !== undefined) {
    return (
      <div className="mt-10">
        <ProblemCard error={broken.error} onRetry={() => void broken.refetch()} />
      </div>
    );
  }
  if (!providers.data || !credentials.data || !sessions.data) return <LoadingCards />;
  const running = sessions.data.filter((session) => !isTerminal(session.status));
  const cards = providers.data.providers;
  return (
    <>
      <MissingNotices answer={providers.data} />
      <RunningSignIns sessions={running} providers={cards} />
      <section aria-labelledby="providers" className="mt-10">
        <h2 id="providers" className="text-lg font-semibold tracking-tight">
          Tools
        </h2>
        {cards.length === 0 ? (
          <p className="card mt-3 p-6 text-muted">
            This server knows no tools yet. Each is described by one file in its <code className="code">providers</code>{' '}
            folder.
          </p>
        ) : (
          <div className="mt-3 grid gap-4 sm:grid-cols-2">
            {cards.map((provider) => (
              <ProviderCard
                key={provider.id}
                provider={provider}
                userId={userId}
                credential={findCurrentCredential(credentials.data, provider.id)}
                running={running.find((session) => session.provider === provider.id) ?? null}
              />
            ))}
          </div>
        )}
      </section>
      <ServerNotices answer={providers.data} />
    </>
  );
}

export function HomePage() {
  const [userId, setUserId] = useState(loadUser);
  const changeUser = (next: string): void => {
    saveUser(next);
    setUserId(next);
  };
  return (
    <PageShell actions={<SignOutButton />}>
      <title>Vestibule</title>
      <div className="mt-6 flex flex-col justify-between gap-6 sm:mt-10 sm:flex-row sm:items-end">
        <div className="max-w-md">
          <h1 className="text-3xl font-semibold tracking-tight">Connect your command-line tools</h1>
          <p className="mt-2 text-muted">
            Sign in once, by hand, in a browser that this server opens for you or in your own. The login is stored here,
            encrypted, for your tools.
          </p>
        </div>
        <UserField userId={userId} onChange={changeUser} />
      </div>
      <Providers key={userId} userId={userId} />
    </PageShell>
  );
}
