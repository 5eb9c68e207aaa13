/** The rows of `live_view_tickets`: 256 random bits for one session and one connection, 60 s at most. Only their hashes are kept. */
import { createHash, randomBytes } from 'node:crypto';
import type { Ticket } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { Pool } from 'pg';

export const TICKET_TTL_MS = 60_000;
/** Rows whose time is over go when others come, so many at a time. */
const CLEARED_AT_ONCE = 100;

/** @param deps.hostId the host whose controller takes tickets here */
export function createTicketStore(deps: { pool: Pool; hostId: string }) {
  const { pool, hostId } = deps;
  return {
    /** @param forHost when given, only that host's own controller may take it */
    async issue(sessionId: string, forHost: string | null = null): Promise<Ticket> {
      const ticket = randomBytes(32).toString('base64url');
      await pool.query(
        `with cleared as (
           delete from live_view_tickets where ticket_sha256 in (
             select ticket_sha256 from live_view_tickets where expires_at <= now() limit $5 for update skip locked)
         ) insert into live_view_tickets (ticket_sha256, session_id, for_host, expires_at)
           values ($1, $2, $3, now() + make_interval(secs => $4::float8 / 1000))`,
        [toHash(ticket), sessionId, forHost, TICKET_TTL_MS, CLEARED_AT_ONCE],
      );
      return { ticket, expiresInMs: TICKET_TTL_MS };
    },

    /** The ticket's session; of two takers at once, at any controllers, one gets it. Throws `invalid_ticket` for a wrong, used or expired one. */
    async take(ticket: string): Promise<string> {
      const result = await pool.query<{ session_id: string }>(
        `update live_view_tickets set taken_at = clock_timestamp()
         where ticket_sha256 = $1 and taken_at is null and expires_at > clock_timestamp() and (for_host is null or for_host = $2)
         returning session_id`,
        [toHash(ticket), hostId],
      );
      const row = result.rows[0];
      if (row === undefined) throw new AppError('invalid_ticket');
      return row.session_id;
    },
  };
}

function toHash(ticket: string): Buffer {
  return createHash('sha256').update(ticket).digest();
}
