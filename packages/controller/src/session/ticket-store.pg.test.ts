import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createTestSessions } from './testing-sessions.ts';
import { createTicketStore, TICKET_TTL_MS } from './ticket-store.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;
let a: ReturnType<typeof createTicketStore>;
let b: ReturnType<typeof createTicketStore>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
  for (const hostId of ['host_a', 'host_b']) await sessions.vms.registerHost(hostId, 'fake');
  a = createTicketStore({ pool: database.appPool, hostId: 'host_a' });
  b = createTicketStore({ pool: database.appPool, hostId: 'host_b' });
});
afterAll(() => database.close());

const REFUSED = { code: 'invalid_ticket' };
const age = (ms: number) =>
  database.ownerPool.query(
    `alter table live_view_tickets disable trigger guard_ticket_update;
     update live_view_tickets set issued_at = issued_at - interval '${ms} ms', expires_at = expires_at - interval '${ms} ms';
     alter table live_view_tickets enable trigger guard_ticket_update`,
  );

describe('a live-view ticket', () => {
  it('that one controller issued is taken by another, once, whoever else tries at the same moment', async () => {
    const sessionId = await sessions.begin();
    const { ticket, expiresInMs } = await a.issue(sessionId);
    expect(ticket).toMatch(/^[\w-]{43}$/);
    expect(expiresInMs).toBe(TICKET_TTL_MS);
    const takers = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? a : b).take(ticket));
    const results = await Promise.allSettled(takers);
    expect(results.filter(({ status }) => status === 'fulfilled')).toEqual([{ status: 'fulfilled', value: sessionId }]);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject(REFUSED);
  });

  it('is refused after 60 s by the clock of the database', async () => {
    const sessionId = await sessions.begin();
    const early = await a.issue(sessionId);
    await age(TICKET_TTL_MS - 20_000);
    expect(await b.take(early.ticket)).toBe(sessionId);
    const late = await a.issue(sessionId);
    await age(TICKET_TTL_MS);
    await expect(b.take(late.ticket)).rejects.toMatchObject(REFUSED);
  });

  it('that was never issued is refused', async () => {
    await expect(a.take('A'.repeat(43))).rejects.toMatchObject(REFUSED);
  });

  it('for one host’s controller is refused by every other, and stays good for the right one', async () => {
    const sessionId = await sessions.begin();
    const { ticket } = await a.issue(sessionId, 'host_b');
    await expect(a.take(ticket)).rejects.toMatchObject(REFUSED);
    expect(await b.take(ticket)).toBe(sessionId);
  });

  it('is stored as its hash alone, and its row goes after its time', async () => {
    const { ticket } = await a.issue(await sessions.begin());
    const { rows } = await database.ownerPool.query('select * from live_view_tickets');
    expect(JSON.stringify(rows)).not.toContain(ticket);
    const hash = createHash('sha256').update(ticket).digest();
    const count = () =>
      database.ownerPool
        .query('select from live_view_tickets where ticket_sha256 = $1', [hash])
        .then(({ rowCount }) => rowCount);
    expect(await count()).toBe(1);
    await age(TICKET_TTL_MS);
    await a.issue(await sessions.begin());
    expect(await count()).toBe(0);
  });
});
