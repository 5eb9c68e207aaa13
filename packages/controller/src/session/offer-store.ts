/**
 * The rows of `session_offers`: what a person needs for signing in outside the VM, one for a session. Sealed before it comes here; the
 * database erases it when the way changes or the session ends.
 */
import { ACTIVE_STATUSES, type Mode } from '@vestibule/protocol/session';
import type { Pool } from 'pg';

export type SealedOffer = { sealedOffer: Buffer; keyId: string };
export type OfferRow = SealedOffer & {
  sessionId: string;
  way: number;
  /** By the database's clock; null when it has no end. */
  leftMs: number | null;
};
/** What the timeline says of it. */
export type OfferKind = 'link' | 'device_code' | 'token';

export type NewOffer = SealedOffer & { way: number; mode: Mode; kind: OfferKind; validForMs: number | null };

export type OfferStore = ReturnType<typeof createOfferStore>;

type Record = { way: number; sealed_offer: Buffer; key_id: string; left_ms: string | null };

const ACTIVE = [...ACTIVE_STATUSES];

export function createOfferStore(deps: { pool: Pool; onChange: (sessionId: string) => void }) {
  const { pool, onChange } = deps;
  return {
    /**
     * Takes the place of the offer before; what the CLI asked before is asked no more. With its event `offer_ready`, so that pages look again; at most 20 of
     * one way, for an agent that changes its mind without end. False when
     * the session ended, is on another way, or the sealing key is no longer active.
     */
    async put(sessionId: string, offer: NewOffer): Promise<boolean> {
      const result = await pool.query(
        `with key as (
           select key_id from vault_keys where key_id = $6 and state = 'active' for share
         ), held as (
           select s.session_id, (select count(*) from auth_session_events e where e.session_id = s.session_id
             and e.type = 'offer_ready' and e.data->>'way' = $2::int::text) >= 20 as was_told_enough
           from auth_sessions s where s.session_id = $1 and s.way = $2 and s.mode = $3 and s.status = any($8)
             and exists (select from key) for no key update
         ), stored as (
           insert into session_offers (session_id, way, sealed_offer, key_id, expires_at)
           select session_id, $2, $5, $6, clock_timestamp() + make_interval(secs => $7::float8 / 1000) from held
           on conflict (session_id) do update set way = excluded.way, sealed_offer = excluded.sealed_offer, key_id = excluded.key_id,
             created_at = excluded.created_at, expires_at = excluded.expires_at, erased_at = null
           returning session_id
         ), changed as (
           update auth_sessions s set prompt = null, event_seq = s.event_seq + 1
           from held where s.session_id = held.session_id and (not held.was_told_enough or s.prompt is not null)
           returning s.session_id, s.event_seq
         ), told as (
           insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, 'offer_ready', 'agent', jsonb_build_object('mode', $3::text, 'kind', $4::text, 'way', $2::int) from changed
         ) select from stored`,
        [
          ...[sessionId, offer.way, offer.mode, offer.kind, offer.sealedOffer, offer.keyId],
          ...[offer.validForMs, ACTIVE],
        ],
      );
      if (result.rowCount !== 1) return false;
      onChange(sessionId);
      return true;
    },

    /** Of the session's present way, while it is active and the offer's time is not over. */
    async find(sessionId: string): Promise<OfferRow | null> {
      const result = await pool.query<Record>(
        `select o.way, o.sealed_offer, o.key_id, extract(epoch from o.expires_at - clock_timestamp()) * 1000 as left_ms
         from session_offers o join auth_sessions s on s.session_id = o.session_id and s.way = o.way
         where o.session_id = $1 and o.sealed_offer is not null and s.status = any($2)
           and (o.expires_at is null or o.expires_at > clock_timestamp())`,
        [sessionId, ACTIVE],
      );
      const row = result.rows[0];
      if (row === undefined) return null;
      const leftMs = row.left_ms === null ? null : Math.max(0, Math.round(Number(row.left_ms)));
      return { sessionId, way: row.way, sealedOffer: row.sealed_offer, keyId: row.key_id, leftMs };
    },
  };
}
