/** A session's pushed state, for components. One stream for each mounted use. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useReducer } from 'react';
import { client } from '../api-client.ts';
import { markSignedOut } from '../operator/use-operator.ts';
import type { PushState } from './push-state.ts';
import { NOTHING_YET, missesSteps, reducePushes } from './push-state.ts';
import { subscribeSession } from './session-subscription.ts';

/** Give the component that calls this `key={sessionId}`: state is kept for one session. */
export function useSessionPushes(sessionId: string): PushState {
  const [state, dispatch] = useReducer(reducePushes, NOTHING_YET);
  const queryClient = useQueryClient();

  useEffect(() => subscribeSession(client, sessionId, dispatch), [sessionId]);

  const incomplete = missesSteps(state);
  useEffect(() => {
    if (!incomplete) return;
    client
      .getTimeline(sessionId)
      .then(({ steps }) => dispatch({ type: 'timeline_read', steps }))
      .catch(() => undefined); // The steps are an extra; the stream itself reports what is wrong.
  }, [incomplete, sessionId]);

  const signedOut = state.refusal === 'signed_out';
  useEffect(() => {
    if (signedOut) markSignedOut(queryClient);
  }, [signedOut, queryClient]);

  return state;
}
