/**
 * What a person needs for signing in outside the VM: taken from the agent, kept sealed, shown to the person of the session alone, at any
 * controller. An agent says it again at every new link: the same offer neither changes nor gets more time.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SessionOffer } from '@vestibule/protocol/api';
import { type Offer, offerSchema } from '@vestibule/protocol/offer';
import type { NewOffer, OfferKind, OfferRow, OfferStore, SealedOffer } from './offer-store.ts';
import { isActive, type SessionRow } from './session-row.ts';

export type OffersDeps = {
  store: OfferStore;
  seal: (owner: { sessionId: string; way: number }, text: string) => Promise<SealedOffer>;
  open: (record: SealedOffer & { sessionId: string; way: number }) => Promise<string>;
};

export type Offers = ReturnType<typeof createOffers>;

function toKind({ mode }: Offer): OfferKind {
  return mode === 'device_code' || mode === 'token' ? mode : 'link';
}

function isSame(one: Offer, other: Offer): boolean {
  return isDeepStrictEqual({ ...one, validForMs: null }, { ...other, validForMs: null });
}

export function createOffers(deps: OffersDeps) {
  async function open(row: OfferRow): Promise<Offer> {
    const offer = offerSchema.parse(JSON.parse(await deps.open(row)));
    return { ...offer, validForMs: row.leftMs };
  }

  async function find(sessionId: string): Promise<SessionOffer | null> {
    const row = await deps.store.find(sessionId);
    return row === null ? null : { way: row.way, offer: await open(row) };
  }

  return {
    /** Of the session's present way, with the time that is left for it now; null when there is none, or no more. */
    find,

    /** One of another way than the session's present one is an answer to what was asked before: dropped. */
    async take(row: SessionRow, offer: Offer): Promise<void> {
      const { sessionId, way, mode } = row;
      if (!isActive(row) || offer.mode !== mode) return;
      // One that cannot be opened any more is replaced.
      const before = await find(sessionId).catch(() => null);
      if (before !== null && before.way === way && isSame(before.offer, offer)) return;
      const sealed = await deps.seal({ sessionId, way }, JSON.stringify(offer));
      const made: NewOffer = { ...sealed, way, mode, kind: toKind(offer), validForMs: offer.validForMs };
      await deps.store.put(sessionId, made);
    },
  };
}
