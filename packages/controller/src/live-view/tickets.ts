/** Live-view tickets: 256 random bits for one session and one connection, 60 s at most. Only their hashes are kept. */
import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '@vestibule/protocol/errors';
import type { Ticket } from '@vestibule/protocol/api';

export const TICKET_TTL_MS = 60_000;

/** With several controllers a ticket may be taken at another one than issued it; then this is a table. */
export type TicketStore = {
  issue(sessionId: string): Promise<Ticket>;
  /** The ticket's session; of two takers at once, one gets it. Throws `invalid_ticket` for a wrong, used or expired one. */
  take(ticket: string): Promise<string>;
};

/** Tickets of this process alone. @param now a monotonic clock in milliseconds */
export function createMemoryTicketStore(now: () => number = () => performance.now()): TicketStore {
  /** By hash, oldest first: all live equally long. */
  const issued = new Map<string, { sessionId: string; expiresAt: number }>();

  function dropExpired(): void {
    for (const [hash, { expiresAt }] of issued) {
      if (expiresAt > now()) return;
      issued.delete(hash);
    }
  }

  return {
    issue(sessionId) {
      dropExpired();
      const ticket = randomBytes(32).toString('base64url');
      issued.set(toHash(ticket), { sessionId, expiresAt: now() + TICKET_TTL_MS });
      return Promise.resolve({ ticket, expiresInMs: TICKET_TTL_MS });
    },
    take(ticket) {
      dropExpired();
      const hash = toHash(ticket);
      const found = issued.get(hash);
      issued.delete(hash);
      return found === undefined ? Promise.reject(new AppError('invalid_ticket')) : Promise.resolve(found.sessionId);
    },
  };
}

function toHash(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}
