/** Starting and cancelling sign-ins, and a provider's name: what several pages ask of the server about sessions. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { CreateSessionBody } from '@vestibule/protocol/api';
import { useCallback } from 'react';
import { useNavigate } from 'react-router';
import { client } from '../api-client.ts';

export const PROVIDERS_KEY = ['providers'] as const;
export const toSessionsKey = (userId: string) => ['sessions', userId] as const;
export const toCredentialsKey = (userId: string) => ['credentials', userId] as const;

/** Starts a sign-in (or finds the one that runs already) and goes to its page. */
export function useStartSignIn() {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (body: CreateSessionBody) => client.createSession(body),
    onSuccess: (session) => navigate(`/sessions/${session.sessionId}`),
  });
}

/** The session's page learns of the end by push, as everybody does. */
export function useCancelSignIn(sessionId: string) {
  return useMutation({ mutationFn: () => client.cancelSession(sessionId) });
}

/** The provider's name for persons; its id until that is known. */
export function useProviderName(providerId: string | undefined): string {
  const providers = useQuery({ queryKey: PROVIDERS_KEY, queryFn: () => client.listProviders(), staleTime: 60_000 });
  return providers.data?.providers.find((provider) => provider.id === providerId)?.name ?? providerId ?? '';
}

/** Called when a sign-in has ended: what the home page shows is read again. */
export function useRefreshHome(): (userId: string) => void {
  const queryClient = useQueryClient();
  return useCallback(
    (userId) => {
      for (const queryKey of [toSessionsKey(userId), toCredentialsKey(userId), PROVIDERS_KEY]) {
        void queryClient.invalidateQueries({ queryKey });
      }
    },
    [queryClient],
  );
}
