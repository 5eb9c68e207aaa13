/** Reads the database of a running Vestibule as its operator could, and opens a stored credential with the operator's own key file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import pg from 'pg';
import { createLocalKey } from '../../packages/controller/src/vault/local-key.ts';
import { loadLocalKeyFile } from '../../packages/controller/src/vault/local-key-file.ts';
import { createVault } from '../../packages/controller/src/vault/vault.ts';

export type VmEnd = { state: string; exit_code: number | null; exit_reason: string | null };

/** A connection in the product's own role, to be ended by the caller. */
export function toPool(dataDir: string): pg.Pool {
  // Lines of postmaster.pid (PostgreSQL, miscadmin.h): pid, data folder, start time, port, socket folder.
  const [, , , port, host] = readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n');
  return new pg.Pool({ host: host ?? '', port: Number(port), user: 'vestibule_app', database: 'vestibule', max: 1 });
}

export async function query<Row extends pg.QueryResultRow>(
  dataDir: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const pool = toPool(dataDir);
  try {
    return (await pool.query<Row>(text, values)).rows;
  } finally {
    await pool.end();
  }
}

/** Waits until the session's VM is destroyed; returns how it ended. */
export async function waitUntilGone(dataDir: string, sessionId: string): Promise<VmEnd> {
  const select = `select state, exit_code, exit_reason from browser_vms join auth_sessions using (vm_id) where session_id = $1`;
  let end: VmEnd | undefined;
  await expect
    .poll(async () => ([end] = await query<VmEnd>(dataDir, select, [sessionId]))[0]?.state, { timeout: 60_000 })
    .toBe('gone');
  if (end === undefined) throw new Error(`session ${sessionId} had no VM`);
  return end;
}

/** The bytes of each file of the credential that completed the session, by path. */
export async function openCredential(dataDir: string, sessionId: string): Promise<Map<string, Buffer>> {
  const [row] = await query<{
    credential_id: string;
    user_id: string;
    provider: string;
    encrypted_data: Buffer;
    key_id: string;
  }>(
    dataDir,
    'select credential_id, user_id, provider, encrypted_data, key_id from provider_credentials where source_session_id = $1',
    [sessionId],
  );
  if (row === undefined) throw new Error(`no credential is stored for ${sessionId}`);
  const wrapper = createLocalKey(await loadLocalKeyFile(join(dataDir, 'master-key'), false));
  const vault = createVault({ wrapper, keyStore: { register: () => Promise.resolve() } });
  const files = await vault.open({
    credentialId: row.credential_id,
    userId: row.user_id,
    provider: row.provider,
    encryptedData: row.encrypted_data,
    keyId: row.key_id,
  });
  return new Map(files.map((file) => [file.path, Buffer.from(file.contentBase64, 'base64')]));
}
