/** Sign-ins by the product's own stores, as fast as they go, from the request to `stored`; and whether what was stored can be opened. */
import { createHash, randomUUID } from 'node:crypto';
import type { CredentialFiles, Handover } from '@vestibule/protocol/agent-messages';
import { toHandoverBytes } from '@vestibule/protocol/agent-messages';
import type { Pool } from 'pg';
import { createVmStore } from '../packages/controller/src/fleet/vm-store.ts';
import { createCompletionStore } from '../packages/controller/src/session/completion-store.ts';
import { createSessionStore } from '../packages/controller/src/session/session-store.ts';
import { createTakeHandover } from '../packages/controller/src/session/take-handover.ts';
import type { Vault } from '../packages/controller/src/vault/vault.ts';
import { note, type Acknowledged } from './journal.ts';

const HOST = 'host_power';
const PROVIDER = 'demo';
const PATH = '.config/demo/credentials.json';
const DEADLINE_MS = 600_000;
/** More than there are clients, as the power cut leaves some taken. */
const SLOTS = 1_000;

type Kit = { pool: Pool; vault: Vault };

const toHash = (files: CredentialFiles): string => createHash('sha256').update(toHandoverBytes(files)).digest('hex');

function toHandover(): Handover {
  const content = JSON.stringify({ token: randomUUID().repeat(10) });
  const files = [{ path: PATH, contentBase64: Buffer.from(content).toString('base64') }];
  const base = { type: 'handover' as const, handoverId: randomUUID(), contentHash: toHash(files), files };
  return { ...base, account: 'ada@example.test', expiresAt: null, evidence: ['files_complete'] };
}

function createSignIn({ pool, vault }: Kit, journal: string) {
  const deps = { pool, graceMs: 30_000, onChange: () => undefined, onEnded: () => undefined };
  const [store, vms, completions] = [createSessionStore(deps), createVmStore(deps), createCompletionStore(deps)];

  async function begin(userId: string): Promise<{ sessionId: string; vmId: string }> {
    const sessionId = await store.create({ userId, provider: PROVIDER, mode: 'vm_browser', expiresInMs: DEADLINE_MS });
    if (sessionId === null) throw new Error('a user who was made up has an active session');
    const vmId = `vm_power_${randomUUID()}`;
    const placement = { vmId, hostId: HOST, runtime: 'fake', maxVms: SLOTS, sessionMs: DEADLINE_MS } as const;
    // Two at once may want the same slot.
    while (!(await vms.place(sessionId, placement)));
    await vms.greet(vmId, 'nonce', 'build');
    await vms.markClaimed(vmId);
    await store.claim(sessionId, vmId, {});
    await store.openUrl(sessionId, {});
    return { sessionId, vmId };
  }

  async function handOver(sessionId: string, vmId: string, userId: string): Promise<Acknowledged> {
    let credentialId = '';
    const takeHandover = createTakeHandover({
      store,
      completions,
      credentialFileSets: () => [[PATH]],
      async seal(owner, files) {
        const sealed = await vault.seal(owner, files);
        ({ credentialId } = sealed);
        return sealed;
      },
    });
    const row = await store.find(sessionId);
    if (row === null) throw new Error('a session that was created is not there');
    const handover = toHandover();
    const { result } = await takeHandover(row, vmId, handover);
    if (result !== 'stored') throw new Error(`a sign-in was answered ${result}`);
    return { credentialId, sessionId, userId, contentHash: handover.contentHash };
  }

  return {
    registerHost: () => vms.registerHost(HOST, 'fake'),
    async signIn(): Promise<void> {
      const userId = randomUUID();
      const { sessionId, vmId } = await begin(userId);
      note(journal, await handOver(sessionId, vmId, userId));
      await vms.markGone(vmId);
    },
  };
}

/** Until the power is cut. */
export async function signInForEver(kit: Kit, clients: number, journal: string): Promise<never> {
  const { registerHost, signIn } = createSignIn(kit, journal);
  await registerHost();
  const runClient = async (): Promise<never> => {
    for (;;) await signIn();
  };
  return Promise.race(Array.from({ length: clients }, runClient));
}

type StoredRow = {
  credential_id: string;
  user_id: string;
  encrypted_data: Buffer;
  key_id: string;
  source_session_id: string;
  status: string;
};

/** How many of them cannot be opened with the master key, are other bytes, or whose session does not say `completed`. */
export async function countLost({ pool, vault }: Kit, acknowledged: readonly Acknowledged[]): Promise<number> {
  const { rows } = await pool.query<StoredRow>(
    `select c.credential_id, c.user_id, c.encrypted_data, c.key_id, c.source_session_id, s.status
     from provider_credentials c join auth_sessions s on s.credential_id = c.credential_id where c.credential_id = any($1::uuid[])`,
    [acknowledged.map(({ credentialId }) => credentialId)],
  );
  const stored = new Map(rows.map((row) => [row.credential_id, row]));
  const isKept = async (entry: Acknowledged): Promise<boolean> => {
    const row = stored.get(entry.credentialId);
    if (row === undefined || row.status !== 'completed' || row.source_session_id !== entry.sessionId) return false;
    const record = { credentialId: entry.credentialId, userId: row.user_id, provider: PROVIDER };
    const sealed = { encryptedData: row.encrypted_data, keyId: row.key_id };
    const files = await vault.open({ ...record, ...sealed }).catch(() => null);
    return files !== null && row.user_id === entry.userId && toHash(files) === entry.contentHash;
  };
  let lost = 0;
  for (const entry of acknowledged) if (!(await isKept(entry))) lost += 1;
  return lost;
}
