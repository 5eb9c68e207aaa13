/** Starting, answering, changing and cancelling sign-ins, and their provider: what several pages ask of the server about sessions. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { AnswerBody, CreateSessionBody, Provider } from '@vestibule/protocol/api';
import type { Mode } from '@vestibule/protocol/session';
import { useCallback } from 'react';
import { useNavigate } from 'react-router';
import { client } from '../api-client.ts';

export const PROVIDERS_KEY = ['providers'] as const;
export const toProvidersKey = (userId: string) => [...PROVIDERS_KEY, userId] as const;
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

/** Gives the program what the person has; it may be a secret, so nothing of it is kept afterwards. */
export function useAnswer(sessionId: string) {
  return useMutation({ mutationFn: (answer: AnswerBody) => client.answer(sessionId, answer), gcTime: 0 });
}

/** Changes the way to sign in while the session goes on; its page learns of the change by push. */
export function useChangeMode(sessionId: string) {
  return useMutation({ mutationFn: (mode: Mode) => client.changeMode(sessionId, mode) });
}

/** The session's provider as this person sees it; null until it is known, or when its definition is gone. */
export function useProvider(providerId: string | undefined, userId: string | undefined): Provider | null {
  const providers = useQuery({
    queryKey: toProvidersKey(userId ?? ''),
    queryFn: () => client.listProviders(userId),
    enabled: userId !== undefined,
    staleTime: 60_000,
  });
  return providers.data?.providers.find((provider) => provider.id === providerId) ?? null;
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
