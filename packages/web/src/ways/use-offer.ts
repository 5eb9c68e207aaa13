/** What the person needs for signing in outside the server: read when the session says that there is something, and with each push. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Session } from '@vestibule/protocol/api';
import type { Offer } from '@vestibule/protocol/offer';
import { client } from '../api-client.ts';

export type PresentOffer = { offer: Offer; receivedAtMs: number };

/**
 * Null while there is none for the session's present way, or no more. It holds a link with a state: it is forgotten when nobody shows it.
 * Call it in a component with `key={session.way}`.
 */
export function useOffer(session: Session, sessionReceivedAtMs: number): PresentOffer | null {
  const { sessionId, way, mode, offered } = session;
  const query = useQuery({
    queryKey: ['offer', sessionId, way, sessionReceivedAtMs],
    queryFn: async (): Promise<PresentOffer | null> => {
      const found = await client.findOffer(sessionId);
      return found === null || found.way !== way ? null : { offer: found.offer, receivedAtMs: performance.now() };
    },
    enabled: offered,
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    staleTime: Infinity,
    gcTime: 0,
  });
  const present = offered ? (query.data ?? null) : null;
  return present === null || present.offer.mode !== mode ? null : present;
}
