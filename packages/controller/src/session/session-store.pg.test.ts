import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createTestSessions } from './testing-sessions.ts';
import { toSession } from './session-row.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());

const CANCEL = { event: 'cancel_requested', code: 'cancelled', message: 'no', actor: 'person' } as const;
const SUPERSEDED = { event: 'cancel_requested', code: 'superseded', message: 'newer', actor: 'person' } as const;

describe('the session store', () => {
  it('numbers the events of a session from 1 without gaps, also when they are written side by side', async () => {
    const id = await sessions.begin();
    await Promise.all(
      Array.from({ length: 20 }, () => sessions.store.append(id, { type: 'waiting', actor: 'controller' })),
    );
    const steps = await sessions.store.listSteps(id, 0);
    expect(steps.map((step) => step.seq)).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
  });

  it('returns null for a second active session, also when twenty are asked for at once', async () => {
    const userId = randomUUID();
    const asked = Array.from({ length: 20 }, () =>
      sessions.store.create({ userId, provider: 'demo', mode: 'vm_browser', expiresInMs: 1_000 }),
    );
    const ids = (await Promise.all(asked)).filter((id) => id !== null);
    expect(ids).toHaveLength(1);
  });

  it('lets exactly one of many endings win, and keeps its words', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const endings = [CANCEL, { event: 'vm_ended', code: 'vm_ended', message: 'gone', actor: 'controller' }] as const;
    const won = await Promise.all([...endings, ...endings].map((ending) => sessions.store.end(sessionId, ending)));
    expect(won.filter(Boolean)).toHaveLength(1);
    const row = await sessions.store.find(sessionId);
    expect(row?.errorMessage).toBe(row?.status === 'cancelled' ? 'no' : 'gone');
  });

  it('lets either completion or cancel win, never both', async () => {
    for (let round = 0; round < 20; round += 1) {
      const session = await sessions.awaitPerson();
      const completing = sessions.complete(session).then(
        () => true,
        () => false,
      );
      const [completed, cancelled] = await Promise.all([completing, sessions.store.end(session.sessionId, CANCEL)]);
      expect([completed, cancelled].filter(Boolean)).toHaveLength(1);
      expect((await sessions.store.find(session.sessionId))?.status).toBe(completed ? 'completed' : 'cancelled');
    }
  });

  it('ends the old session and begins the new one together, or neither when the old one has completed', async () => {
    const userId = randomUUID();
    const next = { userId, provider: 'demo', mode: 'vm_browser', expiresInMs: 1_000 } as const;
    const first = await sessions.begin(userId);
    const second = await sessions.store.supersede(first, SUPERSEDED, next);
    expect((await sessions.store.find(first))?.errorCode).toBe('superseded');
    expect((await sessions.store.findActive(userId, 'demo'))?.sessionId).toBe(second);

    const other = await sessions.awaitPerson();
    await sessions.complete(other);
    const { userId: owner } = (await sessions.store.find(other.sessionId))!;
    expect(await sessions.store.supersede(other.sessionId, SUPERSEDED, { ...next, userId: owner })).toBeNull();
    expect(await sessions.store.findActive(owner, 'demo')).toBeNull();
  });

  it('starts the grace of the VM at the end of its session, whichever end it is', async () => {
    for (const status of ['completed', 'failed', 'timeout', 'cancelled'] as const) {
      const row = await sessions.store.find(await sessions.endAs(status));
      expect(row?.vm?.destroyAt?.getTime()).toBeGreaterThan(row?.endedAt?.getTime() ?? Infinity);
    }
  });

  it('drops what an agent reports after the end, but notes how the VM ended', async () => {
    const session = await sessions.awaitPerson();
    await sessions.complete(session);
    expect(await sessions.store.openUrl(session.sessionId, {})).toBe(false);
    expect(await sessions.store.addCapability(session.sessionId, 'browser', 1)).toBe(false);
    await sessions.vms.recordExit(session.vmId, {
      exitCode: 1,
      signal: null,
      reason: 'exited with code 1',
      at: new Date().toISOString(),
    });
    const steps = await sessions.store.listSteps(session.sessionId, 0);
    expect(steps.at(-1)).toMatchObject({ type: 'vm_exited', data: { exitCode: 1, normal: true } });
    expect((await sessions.store.find(session.sessionId))?.status).toBe('completed');
  });

  it('gives two VMs of a host different slots, and a slot again only after its VM is gone', async () => {
    const first = await sessions.awaitPerson();
    const second = await sessions.awaitPerson();
    const slotOf = async (id: string): Promise<number | undefined> => (await sessions.store.find(id))?.vm?.slot;
    const slot = await slotOf(first.sessionId);
    expect(await slotOf(second.sessionId)).not.toBe(slot);
    await sessions.vms.markGone(first.vmId);
    const third = await sessions.awaitPerson();
    expect(await slotOf(third.sessionId)).toBe(slot);
  });

  it('tells of each change after it is committed', async () => {
    const id = await sessions.begin();
    sessions.changes.length = 0;
    await sessions.store.append(id, { type: 'waiting', actor: 'controller' });
    expect(sessions.changes).toEqual([id]);
  });

  it('shows remaining time by the database’s clock and none after the end', async () => {
    const id = await sessions.begin();
    expect(toSession((await sessions.store.find(id))!).remainingMs).toBeGreaterThan(590_000);
    await sessions.store.end(id, CANCEL);
    expect(toSession((await sessions.store.find(id))!).remainingMs).toBe(0);
  });

  it('goes on reading while a newer release adds a column under it', async () => {
    const id = await sessions.begin();
    await sessions.store.find(id);
    await database.ownerPool.query('alter table auth_sessions add column of_the_next_release text');
    expect((await sessions.store.find(id))?.sessionId).toBe(id);
  });
});
