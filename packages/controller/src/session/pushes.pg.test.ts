import { randomUUID } from 'node:crypto';
import type { SessionPush } from '@vestibule/protocol/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createPushes } from './pushes.ts';
import { createTestSessions } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;
let pushes: ReturnType<typeof createPushes>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());
const { logger: log } = createLogger({ level: 'silent' });
beforeEach(() => {
  pushes = createPushes({ store: sessions.store, clock: systemClock, log });
});
afterEach(() => pushes.close());

const NOTE = { type: 'waiting', actor: 'controller' } as const;
const CANCEL = { event: 'cancel_requested', code: 'cancelled', message: 'no', actor: 'person' } as const;

/** The store, counting statements; the next read fails when told so. */
function createCountingStore() {
  let reads = 0;
  let fails = false;
  const count = async <T>(read: Promise<T>): Promise<T> => {
    reads += 1;
    const found = await read;
    if (fails) {
      fails = false;
      throw new Error('the database is away');
    }
    return found;
  };
  const { store } = sessions;
  return {
    reads: () => reads,
    failNext: () => void (fails = true),
    findMany: (ids: readonly string[]) => count(store.findMany(ids)),
    listStepsAfter: (seen: ReadonlyMap<string, number>) => count(store.listStepsAfter(seen)),
    listBehind: (seen: ReadonlyMap<string, number>) => store.listBehind(seen),
  };
}

/** A page that keeps all it is told. */
function createPage() {
  const told: SessionPush[] = [];
  let ends = 0;
  return {
    told,
    seqs: () => told.flatMap((push) => push.steps.map((step) => step.seq)),
    ends: () => ends,
    listener: { onPush: (push: SessionPush) => void told.push(push), onEnd: () => void (ends += 1) },
  };
}

const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('pushes', () => {
  it('refuse a session that does not exist', async () => {
    const subscribed = pushes.subscribe(randomUUID(), 0, createPage().listener);
    await expect(subscribed).rejects.toMatchObject({ code: 'session_not_found' });
  });

  it('deliver the present state before the subscription resolves, with the steps after the one last seen', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const page = createPage();
    await pushes.subscribe(sessionId, 2, page.listener);
    expect(page.told[0]?.session.status).toBe('awaiting_user_auth');
    expect(page.seqs()).toEqual(upTo(page.told[0]?.session.seq ?? 0, 3));
  });

  it('miss nothing and repeat nothing while changes, wake-ups and new pages come side by side', async () => {
    const sessionId = await sessions.begin();
    const changes = 120;
    const pages: { page: ReturnType<typeof createPage>; from: number }[] = [];
    const change = async (): Promise<void> => {
      await sessions.store.append(sessionId, NOTE);
      pushes.wake(sessionId);
    };
    const join = async (from: number): Promise<void> => {
      const page = createPage();
      pages.push({ page, from });
      await pushes.subscribe(sessionId, from, page.listener);
    };
    await Promise.all([
      ...Array.from({ length: changes }, change),
      ...Array.from({ length: 20 }, (_, index) => join(index % 2)),
    ]);
    for (const { page, from } of pages) {
      await expect.poll(() => page.seqs().at(-1)).toBe(changes + 1);
      expect(page.seqs()).toEqual(upTo(changes + 1, from + 1));
    }
  });

  it('tell of a change whose wake-up got lost', async () => {
    const sessionId = await sessions.begin();
    const page = createPage();
    await pushes.subscribe(sessionId, 0, page.listener);
    await sessions.store.append(sessionId, NOTE);
    await expect.poll(() => page.seqs(), { timeout: 5_000 }).toEqual([1, 2]);
  });

  it('never show a step before the state that belongs to it', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const page = createPage();
    await pushes.subscribe(sessionId, 0, page.listener);
    await sessions.store.end(sessionId, CANCEL);
    pushes.wake(sessionId);
    await expect.poll(() => page.told.at(-1)?.session.status).toBe('cancelled');
    for (const { session, steps } of page.told) {
      const saysCancelled = steps.some((step) => step.type === 'session_cancelled');
      if (saysCancelled) expect(session.status).toBe('cancelled');
      expect(steps.every((step) => step.seq <= session.seq)).toBe(true);
    }
  });

  it('end once the session has ended and its VM is gone, not before', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    const page = createPage();
    const leave = await pushes.subscribe(sessionId, 0, {
      ...page.listener,
      onEnd: () => (page.listener.onEnd(), leave()),
    });
    await sessions.store.end(sessionId, CANCEL);
    pushes.wake(sessionId);
    await expect.poll(() => page.told.at(-1)?.session.status).toBe('cancelled');
    expect(page.ends()).toBe(0);
    await sessions.vms.markGone(vmId);
    pushes.wake(sessionId);
    await expect.poll(page.ends).toBe(1);
    expect(page.told.at(-1)?.session.vm?.state).toBe('gone');
  });

  it('end when the VM is lost with its host', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    const page = createPage();
    const leave = await pushes.subscribe(sessionId, 0, {
      ...page.listener,
      onEnd: () => (page.listener.onEnd(), leave()),
    });
    await sessions.store.end(sessionId, CANCEL);
    await database.ownerPool.query(`update hosts set seen_at = now() - interval '1 hour'`);
    await sessions.vms.markLost(vmId, 1_000);
    pushes.wake(sessionId);
    await expect.poll(page.ends).toBe(1);
    expect(page.told.at(-1)?.session.vm?.state).toBe('lost');
    expect(page.told.at(-1)?.steps.at(-1)?.type).toBe('vm_lost');
  });

  it('end at once for a page that comes after everything was over', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    await sessions.store.end(sessionId, CANCEL);
    await sessions.vms.markGone(vmId);
    const page = createPage();
    await pushes.subscribe(sessionId, 0, page.listener);
    expect(page.told).toHaveLength(1);
    await expect.poll(page.ends).toBeGreaterThan(0);
  });

  it('tell nothing more to a page that left', async () => {
    const sessionId = await sessions.begin();
    const [gone, stays] = [createPage(), createPage()];
    const leave = await pushes.subscribe(sessionId, 0, gone.listener);
    await pushes.subscribe(sessionId, 0, stays.listener);
    leave();
    await sessions.store.append(sessionId, NOTE);
    pushes.wake(sessionId);
    await expect.poll(stays.seqs).toEqual([1, 2]);
    expect(gone.seqs()).toEqual([1]);
  });

  it('read many sessions that changed together in a few statements, each page told of its own', async () => {
    const store = createCountingStore();
    const many = createPushes({ store, clock: systemClock, log });
    const sessionIds = await Promise.all(Array.from({ length: 300 }, () => sessions.begin()));
    const pages = sessionIds.map(() => createPage());
    await Promise.all(sessionIds.map((id, index) => many.subscribe(id, 0, pages[index]!.listener)));
    await Promise.all(sessionIds.map((id) => sessions.store.append(id, NOTE)));
    const before = store.reads();
    for (const id of sessionIds) many.wake(id);
    for (const [index, page] of pages.entries()) {
      await expect.poll(page.seqs).toEqual([1, 2]);
      expect(page.told.at(-1)?.session.sessionId).toBe(sessionIds[index]);
    }
    expect(store.reads() - before).toBeLessThan(20);
    many.close();
  });

  it('tell a page that joins when the rows cannot be read, and tell a page that is there later', async () => {
    const store = createCountingStore();
    const failing = createPushes({ store, clock: systemClock, log });
    const sessionId = await sessions.begin();
    const page = createPage();
    await failing.subscribe(sessionId, 0, page.listener);
    await sessions.store.append(sessionId, NOTE);
    store.failNext();
    await expect(failing.subscribe(sessionId, 0, createPage().listener)).rejects.toThrow('the database is away');
    await expect.poll(page.seqs, { timeout: 5_000 }).toEqual([1, 2]);
    failing.close();
  });

  it('refuse whoever still waits to be told the present state when they close', async () => {
    const closing = createPushes({ store: sessions.store, clock: systemClock, log });
    const subscribed = closing.subscribe(await sessions.begin(), 0, createPage().listener);
    closing.close();
    await expect(subscribed).rejects.toMatchObject({ code: 'not_ready' });
    await expect(closing.subscribe(randomUUID(), 0, createPage().listener)).rejects.toMatchObject({
      code: 'not_ready',
    });
  });
});
