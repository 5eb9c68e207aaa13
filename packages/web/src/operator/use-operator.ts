/** Whether this browser may use the server, as the server says; one query that everything else feeds. */
import type { QueryClient, UseQueryResult } from '@tanstack/react-query';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { client } from '../api-client.ts';
import { isUnauthenticated } from '../ui/problem-words.ts';
import { takeLinkToken } from './link-token.ts';

/** `link_refused` is signed out, by a sign-in link that was not accepted. */
export type OperatorState = 'signed_in' | 'signed_out' | 'link_refused';

const OPERATOR_KEY = ['operator'] as const;

async function readState(): Promise<OperatorState> {
  return (await client.isSignedIn()) ? 'signed_in' : 'signed_out';
}

/** A link that is refused takes nothing away from a browser that is signed in already. */
async function signInByLink(token: string): Promise<OperatorState> {
  try {
    await client.signIn(token);
    return 'signed_in';
  } catch (error) {
    if (!isUnauthenticated(error)) throw error;
    return (await client.isSignedIn()) ? 'signed_in' : 'link_refused';
  }
}

/** Called when any answer says that the cookie is missing or no longer valid. */
export function markSignedOut(queryClient: QueryClient): void {
  queryClient.setQueryData<OperatorState>(OPERATOR_KEY, 'signed_out');
}

/** Signs in with the link's token first, when there is one, and with that of a link pasted into the address bar later. */
export function useOperator(linkToken: string | null): UseQueryResult<OperatorState> {
  const queryClient = useQueryClient();
  useEffect(() => {
    const onLink = (): void => {
      const token = takeLinkToken(window.location, window.history);
      if (token === null) return;
      queryClient
        .fetchQuery({ queryKey: OPERATOR_KEY, staleTime: 0, queryFn: () => signInByLink(token) })
        .catch(() => undefined); // The query holds the error for whoever shows it.
    };
    window.addEventListener('hashchange', onLink);
    return () => window.removeEventListener('hashchange', onLink);
  }, [queryClient]);
  return useQuery({
    queryKey: OPERATOR_KEY,
    staleTime: Infinity,
    queryFn: () => (linkToken === null ? readState() : signInByLink(linkToken)),
  });
}

export function useSignIn() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => client.signIn(token),
    onSuccess: () => queryClient.setQueryData<OperatorState>(OPERATOR_KEY, 'signed_in'),
  });
}

export function useSignOut() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () => client.signOut(),
    onSuccess: () => {
      markSignedOut(queryClient);
      queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== OPERATOR_KEY[0] });
    },
  });
}
