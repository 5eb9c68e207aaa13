/** A supersede that comes while the link to the agent is being made again. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createAuthSessions } from './auth-sessions.ts';
import { ChangeSignal } from './change-signal.ts';
import type { LinkFact } from './plan.ts';
import { createTestSessions } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());

describe('superseding', () => {
  it('waits for a link that is being dialled again: the agent may offer a login on it (I9)', async () => {
    const userId = randomUUID();
    const first = await sessions.awaitPerson(userId);
    const signal = new ChangeSignal(systemClock);
    let state: LinkFact['state'] = 'dialling';
    const auth = createAuthSessions({
      store: sessions.store,
      requireProvider: (id) => Promise.resolve(id),
      defaultMode: () => 'vm_browser',
      links: {
        fact: () => ({ state, settled: false, released: false, storeError: null }) as LinkFact,
        settle: () => undefined,
      },
      answers: { give: () => Promise.reject(new Error('nobody answers')) },
      offers: { find: () => Promise.resolve(null) },
      findTokenKinds: () => null,
      findBlocker: () => null,
      countPlaces: () => Promise.resolve(10),
      waitForChange: (id, timeoutMs) => signal.wait(id, timeoutMs),
      wake: () => undefined,
      clock: systemClock,
      limits: { sessionMs: 60_000 },
    });
    const created = auth.create({ userId, provider: 'demo', supersede: true });
    // 100 ms later the link is up again and the agent's first words are the hand-over.
    await new Promise((resolve) => setTimeout(resolve, 100));
    state = 'connected';
    await sessions.complete(first).catch(() => undefined);
    expect((await created).session).toMatchObject({ sessionId: first.sessionId, status: 'completed' });
  });
});
