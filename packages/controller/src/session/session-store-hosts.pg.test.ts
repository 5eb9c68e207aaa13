import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createTestSessions, TEST_HOST } from './testing-sessions.ts';

const HOLD_MS = 60_000;

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());

async function list(hostId: string): Promise<string[]> {
  return (await sessions.store.listUnsettled(hostId, HOLD_MS)).map((row) => row.sessionId);
}

async function silenceHost(ms: number): Promise<void> {
  await database.ownerPool.query(
    'update hosts set seen_at = clock_timestamp() - make_interval(secs => $2::float8 / 1000) where host_id = $1',
    [TEST_HOST, ms],
  );
}

describe('what the reconciler of a host looks at', () => {
  it('is its own sessions until their VMs are gone, ended or not', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    expect(await list(TEST_HOST)).toContain(sessionId);
    await sessions.complete({ sessionId, vmId });
    expect(await list(TEST_HOST)).toContain(sessionId);
    await sessions.vms.markGone(vmId);
    expect(await list(TEST_HOST)).not.toContain(sessionId);
  });

  it('is not the sessions of another host, unless that host is silent for longer than the hold', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await silenceHost(HOLD_MS / 2);
    expect(await list('host_other')).not.toContain(sessionId);
    await silenceHost(HOLD_MS * 2);
    expect(await list('host_other')).toContain(sessionId);
    await silenceHost(0);
  });

  it('is every active session while one waits for its place, each once', async () => {
    const placed = await sessions.awaitPerson();
    const waiting = await sessions.begin();
    const found = await list('host_other');
    expect(found).toEqual(expect.arrayContaining([placed.sessionId, waiting]));
    expect(new Set(found).size).toBe(found.length);
    await sessions.store.end(waiting, {
      ...{ event: 'cancel_requested', code: 'cancelled', message: 'no', actor: 'person' },
    });
    expect(await list('host_other')).not.toContain(placed.sessionId);
  });
});
