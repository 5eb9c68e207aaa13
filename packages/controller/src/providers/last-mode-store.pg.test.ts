import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createLastModeStore } from './last-mode-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

/** A session of that way, completed by a version of its own (I1). */
async function complete(userId: string, provider: string, mode: string): Promise<void> {
  const client = await database.ownerPool.connect();
  const [sessionId, credentialId] = [randomUUID(), randomUUID()];
  try {
    await client.query(`insert into vault_keys (key_id, state) values ('k', 'active') on conflict do nothing`);
    await client.query('begin');
    await client.query(
      `insert into auth_sessions (session_id, user_id, provider, mode, expires_at) values ($1, $2, $3, $4, now())`,
      [sessionId, userId, provider, mode],
    );
    await client.query(
      `insert into provider_credentials (credential_id, user_id, provider, encrypted_data, key_id, version, source, source_session_id)
       select $1, $2, $3, 'x', 'k', coalesce(max(version), 0) + 1, 'sign_in', $4 from provider_credentials
       where user_id = $2 and provider = $3`,
      [credentialId, userId, provider, sessionId],
    );
    await client.query(
      `update auth_sessions set status = 'completed', completed_at = clock_timestamp(), ended_at = clock_timestamp(), credential_id = $2
       where session_id = $1`,
      [sessionId, credentialId],
    );
    await client.query('commit');
  } finally {
    client.release();
  }
}

it('the last way of a person is that of the newest session that completed, for each provider', async () => {
  await complete('ada', 'codex', 'vm_browser');
  await complete('ada', 'codex', 'device_code');
  await complete('ada', 'other', 'own_browser');
  await complete('bob', 'codex', 'own_browser');
  await database.ownerPool.query(
    `insert into auth_sessions (user_id, provider, mode, expires_at) values ('ada', 'codex', 'own_browser', now())`,
  );
  const store = createLastModeStore({ pool: database.appPool });
  expect(Object.fromEntries(await store.listOf('ada'))).toEqual({ codex: 'device_code', other: 'own_browser' });
  expect((await store.listOf('nobody')).size).toBe(0);
});
