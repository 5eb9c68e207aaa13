/** What the product says in the end, of every sign-in, and what its credentials open to with the operator's own key file. */
import { setTimeout as delay } from 'node:timers/promises';
import type { SessionStep, Status } from '@vestibule/protocol/session';
import { createLocalKey } from '../packages/controller/src/vault/local-key.ts';
import { loadLocalKeyFile } from '../packages/controller/src/vault/local-key-file.ts';
import { createVault } from '../packages/controller/src/vault/vault.ts';
import type { SignIn } from './accounting.ts';
import type { Database } from './database.ts';
import { nowMs } from './journal.ts';

const LOOK_AGAIN_MS = 250;

type SessionRecord = {
  session_id: string;
  user_id: string;
  provider: string;
  status: Status;
  created_ms: number;
  ended_ms: number | null;
  error_code: string | null;
  vm_id: string | null;
  host_id: string | null;
  credential_id: string | null;
  encrypted_data: Buffer | null;
  key_id: string | null;
};

const SELECT = `select s.session_id, s.user_id, s.provider, s.status, s.error_code, s.vm_id, v.host_id, c.credential_id, c.encrypted_data, c.key_id,
    (extract(epoch from s.created_at) * 1000)::float8 as created_ms, (extract(epoch from s.ended_at) * 1000)::float8 as ended_ms
  from auth_sessions s left join browser_vms v using (vm_id) left join provider_credentials c on c.source_session_id = s.session_id
  order by s.created_at`;

export async function readSignIns(database: Database, keyFile: string): Promise<SignIn[]> {
  const vault = createVault({
    wrapper: createLocalKey(await loadLocalKeyFile(keyFile, false)),
    keyStore: { register: () => Promise.resolve() },
  });
  const open = async (row: SessionRecord): Promise<SignIn['stored']> => {
    const { credential_id: credentialId, encrypted_data: encryptedData, key_id: keyId, provider } = row;
    if (credentialId === null || encryptedData === null || keyId === null) return null;
    const files = await vault
      .open({ credentialId, userId: row.user_id, provider, encryptedData, keyId })
      .catch(() => null);
    return files === null ? null : new Map(files.map((file) => [file.path, file.contentBase64]));
  };
  // The database's clock is this machine's.
  const toJournalClock = nowMs() - Date.now();
  const { rows } = await database.pool.query<SessionRecord>(SELECT);
  return Promise.all(
    rows.map(async (row) => ({
      sessionId: row.session_id,
      userId: row.user_id,
      provider: row.provider,
      status: row.status,
      errorCode: row.error_code,
      createdAtMs: row.created_ms + toJournalClock,
      endedAtMs: row.ended_ms === null ? null : row.ended_ms + toJournalClock,
      vm: row.vm_id === null || row.host_id === null ? null : { vmId: row.vm_id, hostId: row.host_id },
      stored: await open(row),
    })),
  );
}

/** Whether every session had ended and every VM was gone, by the rows, before the time ran out. */
export async function awaitSettled(database: Database, withinMs: number): Promise<boolean> {
  const until = nowMs() + withinMs;
  for (;;) {
    const { rows } = await database.pool.query<{ busy: boolean }>(
      `select exists (select from auth_sessions where ended_at is null) or exists (select from browser_vms where state <> 'gone') as busy`,
    );
    if (rows[0]?.busy === false) return true;
    if (nowMs() > until) return false;
    await delay(LOOK_AGAIN_MS);
  }
}

export async function listVmsNotGone(database: Database): Promise<string[]> {
  const { rows } = await database.pool.query<{ vm_id: string }>(`select vm_id from browser_vms where state <> 'gone'`);
  return rows.map((row) => row.vm_id);
}

export async function readTimeline(database: Database, sessionId: string): Promise<SessionStep[]> {
  const { rows } = await database.pool.query<SessionStep>(
    'select seq::int, at, type, actor, data from auth_session_events where session_id = $1 order by seq',
    [sessionId],
  );
  return rows;
}
