/**
 * The floor of telling a page of a completed sign-in: the one statement that completes a session, committed to the same database from a
 * connection of its own, and one HTTP exchange with the same controller. Its sessions stand on a host that nobody runs.
 */
import { randomUUID } from 'node:crypto';
import { Agent, get } from 'node:http';
import pg from 'pg';
import { createVmStore } from '../../packages/controller/src/fleet/vm-store.ts';
import { createCompletionStore } from '../../packages/controller/src/session/completion-store.ts';
import { createSessionStore } from '../../packages/controller/src/session/session-store.ts';
import { findEmbeddedSocket } from './embedded-socket.ts';

export type BareCompletion = {
  /** Milliseconds of the statement, flushed to disk. */
  completeOne(): Promise<number>;
  /** Milliseconds of `GET /healthz` on a connection that is open. */
  exchangeOne(): Promise<number>;
  close(): Promise<void>;
};

const HOST = 'host_bench';
const SEALED_BYTES = 600;

export async function createBareCompletion(server: { dataDir: string; origin: string }): Promise<BareCompletion> {
  const pool = new pg.Pool({ ...findEmbeddedSocket(server.dataDir), max: 1 });
  const agent = new Agent({ keepAlive: true });
  const deps = { pool, graceMs: 0, onChange: () => undefined, onEnded: () => undefined };
  const [store, vms, completions] = [createSessionStore(deps), createVmStore(deps), createCompletionStore(deps)];
  const { rows } = await pool.query<{ key_id: string }>(`select key_id from vault_keys where state = 'active' limit 1`);
  const keyId = rows[0]!.key_id;

  /** A session that waits for the person. */
  async function prepare(): Promise<{ sessionId: string; vmId: string }> {
    await vms.registerHost(HOST, 'fake');
    const vmId = `vm_bench_${randomUUID()}`;
    // One transaction (the pool is one connection): the controller would place a session that it sees without a VM.
    await pool.query('begin');
    const sessionId = await store.create({ userId: vmId, provider: 'demo', mode: 'vm_browser', expiresInMs: 600_000 });
    if (sessionId === null) throw new Error('a session of the bench was there already');
    await vms.place(sessionId, { vmId, hostId: HOST, runtime: 'fake', maxVms: 1, sessionMs: 600_000 });
    await store.claim(sessionId, vmId, {});
    await store.openUrl(sessionId, {});
    await pool.query('commit');
    return { sessionId, vmId };
  }

  return {
    async completeOne() {
      const { sessionId, vmId } = await prepare();
      const handover = {
        ...{ type: 'handover' as const, handoverId: randomUUID(), contentHash: 'a'.repeat(64), files: [] },
        ...{ account: 'bench@example.test', expiresAt: null, evidence: ['files_complete' as const] },
      };
      const sealed = { credentialId: randomUUID(), encryptedData: Buffer.alloc(SEALED_BYTES, 1), keyId };
      const startedAt = performance.now();
      const completed = await completions.complete(sessionId, vmId, handover, sealed);
      const tookMs = performance.now() - startedAt;
      if (!completed) throw new Error('the bare statement completed nothing');
      await vms.markGone(vmId);
      return tookMs;
    },

    async exchangeOne() {
      const startedAt = performance.now();
      await new Promise<void>((resolve, reject) => {
        get(`${server.origin}/healthz`, { agent }, (response) => response.resume().once('end', resolve)).once(
          'error',
          reject,
        );
      });
      return performance.now() - startedAt;
    },

    async close() {
      agent.destroy();
      await pool.end();
    },
  };
}
