import { duplexPair, type Duplex } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { ChangeSignal } from './change-signal.ts';
import { createLiveViews } from './live-views.ts';
import { createTestSessions, TEST_HOST } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());

const CANCEL = { event: 'cancel_requested', code: 'cancelled', message: 'no', actor: 'person' } as const;

function start(connectDisplay: () => Promise<Duplex> = async () => duplexPair()[0]) {
  const signal = new ChangeSignal(systemClock);
  let dialled = 0;
  const views = createLiveViews({
    store: sessions.store,
    hostId: TEST_HOST,
    connectPeer: () => Promise.reject(new Error('no other host')),
    connectDisplay: () => {
      dialled += 1;
      return connectDisplay();
    },
    waitForChange: (sessionId, timeoutMs) => signal.wait(sessionId, timeoutMs),
  });
  return { views, signal, dialled: () => dialled };
}

async function withDisplay(): Promise<string> {
  const { sessionId } = await sessions.awaitPerson();
  await sessions.store.addCapability(sessionId, 'display', 10);
  return sessionId;
}
const never = new AbortController().signal;

describe('live views', () => {
  it('hold the viewer until the display is ready', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { views, signal, dialled } = start();
    const opened = views.open(sessionId, never);
    await sessions.store.append(sessionId, { type: 'waiting', actor: 'controller' });
    signal.notify(sessionId);
    expect(dialled()).toBe(0);
    await sessions.store.addCapability(sessionId, 'display', 10);
    signal.notify(sessionId);
    expect((await opened).destroyed).toBe(false);
    expect((await sessions.store.listSteps(sessionId, 0)).at(-1)?.type).toBe('live_view_opened');
  });

  it('dial again while the display refuses', async () => {
    let refusals = 2;
    const { views, dialled } = start(async () => {
      refusals -= 1;
      if (refusals >= 0) throw new Error('nobody listens');
      return duplexPair()[0];
    });
    await views.open(await withDisplay(), never);
    expect(dialled()).toBe(3);
  });

  it('cut every view of a session that ends, and no other', async () => {
    const [ending, going] = [await withDisplay(), await withDisplay()];
    const { views } = start();
    const streams = [await views.open(ending, never), await views.open(ending, never), await views.open(going, never)];
    views.sessionChanged(ending);
    await sessions.store.end(ending, CANCEL);
    views.sessionChanged(ending);
    await expect.poll(() => streams.map((stream) => stream.destroyed)).toEqual([true, true, false]);
  });

  it('refuse a session that has ended, also to a viewer who waited', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { views, signal } = start();
    await views.assertPossible(sessionId);
    const opened = views.open(sessionId, never);
    // Looked at from the start: it may be refused while the end is still being written.
    await Promise.all([
      expect(opened).rejects.toMatchObject({ code: 'session_ended' }),
      sessions.store.end(sessionId, CANCEL).then(() => signal.notify(sessionId)),
    ]);
    await expect(views.assertPossible(sessionId)).rejects.toMatchObject({ code: 'session_ended' });
    await expect(views.assertPossible(randomUUID())).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('stop waiting for a viewer who left', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { views, signal } = start();
    const gone = new AbortController();
    const opened = views.open(sessionId, gone.signal);
    gone.abort(new Error('left'));
    signal.notify(sessionId);
    await expect(opened).rejects.toThrow('left');
  });
});
