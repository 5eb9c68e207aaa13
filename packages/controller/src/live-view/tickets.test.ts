import { expect, it } from 'vitest';
import { TICKET_TTL_MS, createMemoryTicketStore } from './tickets.ts';

it('gives a ticket once: of two takers at the same moment one is refused', async () => {
  const store = createMemoryTicketStore();
  const { ticket } = await store.issue('session-1');
  const results = await Promise.allSettled([store.take(ticket), store.take(ticket)]);
  expect(results).toMatchObject([
    { status: 'fulfilled', value: 'session-1' },
    { status: 'rejected', reason: { code: 'invalid_ticket' } },
  ]);
});

it('knows whose a ticket is', async () => {
  const store = createMemoryTicketStore();
  const [one, two] = [await store.issue('session-1'), await store.issue('session-2')];
  expect(one.ticket).toMatch(/^[\w-]{43}$/);
  expect(await store.take(two.ticket)).toBe('session-2');
  expect(await store.take(one.ticket)).toBe('session-1');
});

it('refuses a ticket after 60 s by its monotonic clock, and one it never gave', async () => {
  let now = 5;
  const store = createMemoryTicketStore(() => now);
  const [early, late] = [await store.issue('s'), await store.issue('s')];
  now += TICKET_TTL_MS - 1;
  expect(await store.take(early.ticket)).toBe('s');
  now += 1;
  await expect(store.take(late.ticket)).rejects.toMatchObject({ code: 'invalid_ticket' });
  await expect(store.take('A'.repeat(43))).rejects.toMatchObject({ code: 'invalid_ticket' });
});
