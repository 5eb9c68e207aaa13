/** A display that breaks while its view is being opened. */
import { duplexPair } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createLiveViews } from './live-views.ts';
import { createTestSessions, TEST_HOST } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());
const never = new AbortController().signal;

describe('opening a live view', () => {
  it('survives a display that breaks in that moment: an error nobody listens to ends the controller', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await sessions.store.addCapability(sessionId, 'display', 10);
    const [display] = duplexPair();
    const views = createLiveViews({
      store: sessions.store,
      hostId: TEST_HOST,
      connectPeer: () => Promise.reject(new Error('no other host')),
      async connectDisplay() {
        setImmediate(() => display.destroy(new Error('read ECONNRESET')));
        return display;
      },
      waitForChange: () => Promise.resolve(),
    });
    await views.open(sessionId, never);
    expect(display.listenerCount('error')).toBeGreaterThan(0);
  });

  it('closes the display when the opening cannot be recorded', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await sessions.store.addCapability(sessionId, 'display', 10);
    const [display] = duplexPair();
    const views = createLiveViews({
      store: { ...sessions.store, append: () => Promise.reject(new Error('database down')) },
      hostId: TEST_HOST,
      connectPeer: () => Promise.reject(new Error('no other host')),
      connectDisplay: () => Promise.resolve(display),
      waitForChange: () => Promise.resolve(),
    });
    await expect(views.open(sessionId, never)).rejects.toThrow('database down');
    expect(display.destroyed).toBe(true);
  });
});
