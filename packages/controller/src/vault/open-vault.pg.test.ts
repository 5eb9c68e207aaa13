/** The vault against its tables: which key may be used, and what a stored record opens to. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTestDatabase } from '../db/testing.ts';
import type { TestDatabase } from '../db/testing.ts';
import { KeyFileError } from './key-file-error.ts';
import { OpenError } from './open-error.ts';
import { openVault } from './open-vault.ts';
import { VaultRefusedError } from './vault.ts';
import type { Sealed } from './vault.ts';

const OWNER = { userId: 'ann', provider: 'wrangler' };
const FILES = [{ path: '.config/a.toml', contentBase64: Buffer.from('canary').toString('base64') }];

async function createDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  onTestFinished(() => database.close());
  return database;
}

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function store(database: TestDatabase, sealed: Sealed): Promise<void> {
  await database.appPool.query(
    `insert into provider_credentials (credential_id, user_id, provider, encrypted_data, key_id, version, source)
     values ($1, $2, $3, $4, $5, 1, 'import')`,
    [sealed.credentialId, OWNER.userId, OWNER.provider, sealed.encryptedData, sealed.keyId],
  );
}

async function readKeys(database: TestDatabase): Promise<unknown[]> {
  const result = await database.appPool.query<{ key_id: string; state: string }>(
    'select key_id, state from vault_keys order by created_at',
  );
  return result.rows;
}

test('what was sealed before a restart opens after it, for its owner only', async () => {
  const database = await createDatabase();
  const masterKeyFile = join(await createFolder(), 'master-key');
  const first = await openVault({ pool: database.appPool, masterKeyFile });
  const sealed = await first.seal(OWNER, FILES);
  await store(database, sealed);
  expect(await readKeys(database)).toEqual([{ key_id: sealed.keyId, state: 'active' }]);

  const second = await openVault({ pool: database.appPool, masterKeyFile });
  expect(await second.open({ ...sealed, ...OWNER })).toEqual(FILES);
  await expect(second.open({ ...sealed, ...OWNER, userId: 'bob' })).rejects.toBeInstanceOf(OpenError);
  await expect(second.open({ ...sealed, ...OWNER, keyId: 'local:other' })).rejects.toBeInstanceOf(OpenError);
});

test('a missing key file is not made anew while something is sealed, and the start is refused', async () => {
  const database = await createDatabase();
  const folder = await createFolder();
  const masterKeyFile = join(folder, 'master-key');
  const vault = await openVault({ pool: database.appPool, masterKeyFile });
  await store(database, await vault.seal(OWNER, FILES));
  await rm(masterKeyFile);
  await expect(openVault({ pool: database.appPool, masterKeyFile })).rejects.toBeInstanceOf(KeyFileError);
  expect(await readdir(folder)).toEqual([]);
});

test('another key than the one that records are sealed with is refused', async () => {
  const database = await createDatabase();
  const vault = await openVault({ pool: database.appPool, masterKeyFile: join(await createFolder(), 'master-key') });
  const sealed = await vault.seal(OWNER, FILES);
  await store(database, sealed);
  const other = join(await createFolder(), 'master-key');
  await openVault({ pool: (await createDatabase()).appPool, masterKeyFile: other });
  const refused = openVault({ pool: database.appPool, masterKeyFile: other });
  await expect(refused).rejects.toBeInstanceOf(VaultRefusedError);
  await expect(refused).rejects.toThrow(`sealed with the key ${sealed.keyId}`);
  expect(await readKeys(database)).toHaveLength(1);
});

test('a retired key is refused', async () => {
  const database = await createDatabase();
  const masterKeyFile = join(await createFolder(), 'master-key');
  await openVault({ pool: database.appPool, masterKeyFile });
  await database.ownerPool.query(`update vault_keys set state = 'retired'`);
  await expect(openVault({ pool: database.appPool, masterKeyFile })).rejects.toThrow('which was retired');
});

test('of two controllers with keys of their own and one new database, the second is refused, whoever it is', async () => {
  const database = await createDatabase();
  const paths = [join(await createFolder(), 'master-key'), join(await createFolder(), 'master-key')];
  const starts = await Promise.allSettled(
    paths.map((masterKeyFile) => openVault({ pool: database.appPool, masterKeyFile })),
  );
  expect(starts.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(await readKeys(database)).toHaveLength(1);
});

test('a key that was lost for good, with nothing sealed, gives way once it is retired as the refusal says', async () => {
  const database = await createDatabase();
  const folder = await createFolder();
  await openVault({ pool: database.appPool, masterKeyFile: join(folder, 'lost') });
  await expect(openVault({ pool: database.appPool, masterKeyFile: join(folder, 'new') })).rejects.toMatchObject({
    code: 'missing',
  });
  await database.ownerPool.query(`update vault_keys set state = 'retired'`);
  await openVault({ pool: database.appPool, masterKeyFile: join(folder, 'new') });
  expect(await readKeys(database)).toMatchObject([{ state: 'retired' }, { state: 'active' }]);
});

test('records whose ciphertext was erased do not hold a start back', async () => {
  const database = await createDatabase();
  const folder = await createFolder();
  const vault = await openVault({ pool: database.appPool, masterKeyFile: join(folder, 'old') });
  await store(database, await vault.seal(OWNER, FILES));
  await database.appPool.query('update provider_credentials set encrypted_data = null, revoked_at = now()');
  await database.appPool.query(`update vault_keys set state = 'retired'`);
  await openVault({ pool: database.appPool, masterKeyFile: join(folder, 'new') });
  expect(await readKeys(database)).toHaveLength(2);
});
