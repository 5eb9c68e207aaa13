/** Test support: stores over a test database, and sessions brought to a given point by the product's own statements. */
import { randomUUID } from 'node:crypto';
import type { Handover } from '@vestibule/protocol/agent-messages';
import type { TestDatabase } from '../db/testing.ts';
import { createVmStore } from '../fleet/vm-store.ts';
import { createCompletionStore } from './completion-store.ts';
import { createSessionStore, type NewSession } from './session-store.ts';

export const TEST_HOST = 'host_test';
export const TEST_KEY = 'key_test';

export function toHandover(change: Partial<Handover> = {}): Handover {
  const base = { type: 'handover' as const, handoverId: randomUUID(), contentHash: 'a'.repeat(64), files: [] };
  return { ...base, account: 'ada@example.org', expiresAt: null, evidence: ['files_complete'], ...change };
}

const ENDINGS = {
  failed: { event: 'vm_ended', code: 'vm_ended', message: 'ended', actor: 'controller' },
  timeout: { event: 'deadline_passed', code: 'deadline_passed', message: 'late', actor: 'controller' },
  cancelled: { event: 'cancel_requested', code: 'cancelled', message: 'no', actor: 'person' },
} as const;

export async function createTestSessions(database: TestDatabase) {
  const changes: string[] = [];
  const onChange = (sessionId: string): void => void changes.push(sessionId);
  const deps = { pool: database.appPool, graceMs: 30_000, onChange, onEnded: () => undefined };
  const store = createSessionStore(deps);
  const vms = createVmStore({ pool: database.appPool, onChange });
  const completions = createCompletionStore(deps);
  await vms.registerHost(TEST_HOST, 'fake');
  await database.ownerPool.query(
    `insert into vault_keys (key_id, state) values ($1, 'active') on conflict do nothing`,
    [TEST_KEY],
  );
  let vmCount = 0;

  async function begin(
    userId: string = randomUUID(),
    provider = 'demo',
    change: Partial<NewSession> = {},
  ): Promise<string> {
    const id = await store.create({ userId, provider, mode: 'vm_browser', expiresInMs: 600_000, ...change });
    if (id === null) throw new Error(`${userId} has an active session for ${provider} already`);
    return id;
  }

  /** A session that waits for the person, with a claimed VM. */
  async function awaitPerson(
    userId?: string,
    provider?: string,
    change?: Partial<NewSession>,
  ): Promise<{ sessionId: string; vmId: string }> {
    const sessionId = await begin(userId, provider, change);
    vmCount += 1;
    const vmId = `vm_test_${vmCount}`;
    await vms.place(sessionId, { vmId, hostId: TEST_HOST, runtime: 'fake', maxVms: 1000, sessionMs: 600_000 });
    await vms.greet(vmId, 'nonce-of-the-boot', 'build');
    await vms.markClaimed(vmId);
    await store.claim(sessionId, vmId, {});
    await store.openUrl(sessionId, {});
    return { sessionId, vmId };
  }

  /** Completes it as the product does; returns the credential's id. */
  async function complete(session: { sessionId: string; vmId: string }, handover = toHandover()): Promise<string> {
    const credentialId = randomUUID();
    const sealed = { credentialId, encryptedData: Buffer.from('sealed'), keyId: TEST_KEY };
    const done = await completions.complete(session.sessionId, session.vmId, handover, sealed);
    if (!done) throw new Error(`${session.sessionId} did not complete`);
    return credentialId;
  }

  async function endSession(sessionId: string, status: 'failed' | 'timeout' | 'cancelled'): Promise<void> {
    await store.end(sessionId, ENDINGS[status]);
  }

  async function endAs(status: 'completed' | 'failed' | 'timeout' | 'cancelled'): Promise<string> {
    const session = await awaitPerson();
    if (status === 'completed') await complete(session);
    else await endSession(session.sessionId, status);
    return session.sessionId;
  }

  return { store, vms, completions, changes, begin, awaitPerson, complete, endSession, endAs };
}
