import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createTestSessions } from '../session/testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());

const EXIT = { exitCode: 1, signal: null, reason: 'exited with code 1', at: new Date(0).toISOString() };

describe('the VM store', () => {
  it('writes no exit of a VM that is gone: whoever saw it by an old row knows nothing of how it ended', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    await sessions.vms.markGone(vmId);
    expect(await sessions.vms.recordExit(vmId, EXIT)).toBe(false);
    expect((await sessions.store.listSteps(sessionId, 0)).at(-1)?.type).toBe('vm_destroyed');
  });

  it.each(['recordExit', 'markGone'] as const)(
    'does not deadlock with a statement that ends the session at the same moment (%s)',
    async (method) => {
      const { sessionId, vmId } = await sessions.awaitPerson();
      const client = await database.appPool.connect();
      try {
        // As every ending does: the session's row, then its VM's.
        await client.query('begin');
        await client.query('update auth_sessions set stage = stage where session_id = $1', [sessionId]);
        const written = method === 'recordExit' ? sessions.vms.recordExit(vmId, EXIT) : sessions.vms.markGone(vmId);
        await expect
          .poll(() =>
            client
              .query(
                'select count(*)::int as n from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
              )
              .then(({ rows }) => (rows[0] as { n: number }).n),
          )
          .toBeGreaterThan(0);
        await client.query('update browser_vms set destroy_at = now() where vm_id = $1', [vmId]);
        await client.query('commit');
        expect(await written).toBe(true);
      } finally {
        client.release();
      }
    },
  );
});
