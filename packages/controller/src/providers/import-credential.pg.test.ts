/** Taking over a login, against the tables and a real key. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CredentialFiles } from '@vestibule/protocol/agent-messages';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createCredentialStore } from '../vault/credential-store.ts';
import { createImportStore } from '../vault/import-store.ts';
import { openVault } from '../vault/open-vault.ts';
import type { Vault } from '../vault/vault.ts';
import { createImportCredential, type ImportCredential } from './import-credential.ts';
import { toNoticeHash } from './notice.ts';
import { createNoticeStore } from './notice-store.ts';
import { createNotices, type Notices } from './notices.ts';
import { loadProviders } from './provider-registry.ts';
import { toDefinitionText } from './testing-definition.ts';

const folder = mkdtempSync(join(tmpdir(), 'vestibule-import-'));
writeFileSync(
  join(folder, 'tool.yaml'),
  toDefinitionText({
    aliases: '[tool_cli]',
    more: `  account: { file: .tool/auth.json, field: account }
  organization: { file: .tool/auth.json, field: organization }
  plan: { file: .tool/auth.json, field: plan }
  expiresAt: { file: .tool/auth.json, field: expires, unit: iso8601 }`,
  }),
);
writeFileSync(
  join(folder, 'noticed.yaml'),
  toDefinitionText({ id: 'noticed', more: 'notice: { title: Read this, text: The words. }' }),
);
const registry = loadProviders([folder]);

let database: TestDatabase;
let vault: Vault;
let notices: Notices;
let importCredential: ImportCredential;
let userId: string;
let users = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  vault = await openVault({ pool: database.appPool, masterKeyFile: join(folder, 'master-key') });
  notices = createNotices({ registry, store: createNoticeStore({ pool: database.appPool }) });
  importCredential = createImportCredential({
    registry,
    notices,
    seal: (owner, files) => vault.seal(owner, files),
    store: createImportStore({ pool: database.appPool }),
  });
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  userId = `user-${(users += 1)}`;
});

function toFiles(content: unknown, path = '.tool/auth.json'): CredentialFiles {
  return [{ path, contentBase64: Buffer.from(JSON.stringify(content)).toString('base64') }];
}

const LOGIN = {
  token: 'canary-token-5b1d',
  account: 'ada@example.org',
  organization: 'org-7',
  plan: 'pro',
  expires: '2031-01-01T00:00:00.000Z',
};

describe('a login that is taken over', () => {
  it('is a new version, sealed, with what its files say of it, and an entry of the audit log', async () => {
    const stored = await importCredential(userId, 'tool_cli', toFiles(LOGIN), 'operator');
    expect(stored).toMatchObject({
      userId,
      provider: 'tool',
      version: 1,
      source: 'import',
      grade: 'file_complete',
      account: 'ada@example.org',
      expiresAt: '2031-01-01T00:00:00.000Z',
      sourceSessionId: null,
    });
    const credentials = createCredentialStore({ pool: database.appPool });
    expect(await credentials.list(userId)).toEqual([stored]);
    const sealed = await credentials.findCurrent(userId, 'tool');
    expect(sealed === null ? null : await vault.open(sealed)).toEqual(toFiles(LOGIN));
    const kept = await database.appPool.query(
      `select organization, account_plan, evidence from provider_credentials where user_id = $1`,
      [userId],
    );
    expect(kept.rows).toEqual([{ organization: 'org-7', account_plan: 'pro', evidence: ['files_complete'] }]);
    const { rows } = await database.appPool.query(`select actor, action, data from audit_log where subject = $1`, [
      `${userId}/tool`,
    ]);
    expect(rows).toEqual([{ actor: 'operator', action: 'credential_imported', data: { version: 1 } }]);
  });

  it('takes the place of the one before, also when two come at once', async () => {
    const both = await Promise.all(
      ['a', 'b', 'c'].map((token) => importCredential(userId, 'tool', toFiles({ token }), 'operator')),
    );
    expect(both.map(({ version }) => version).toSorted()).toEqual([1, 2, 3]);
  });

  it('attack: shows its content in no row but the sealed one', async () => {
    await importCredential(userId, 'tool', toFiles(LOGIN), 'operator');
    const { rows } = await database.ownerPool.query(
      `select (select string_agg(to_jsonb(c)::text, ' ') from provider_credentials c) || (select string_agg(to_jsonb(a)::text, ' ') from audit_log a) as all`,
    );
    const text = JSON.stringify(rows);
    expect(text).toContain(userId);
    expect(text).not.toContain('canary-token');
    expect(text).not.toContain(Buffer.from('canary-token').toString('hex'));
  });

  it('that is not complete is refused with words and stores nothing', async () => {
    await expect(importCredential(userId, 'tool', toFiles({ token: '' }), 'operator')).rejects.toMatchObject({
      code: 'credential_invalid',
      detail: '.tool/auth.json has no value for token.',
    });
    expect(await createCredentialStore({ pool: database.appPool }).list(userId)).toEqual([]);
  });

  it('of a provider whose notice the operator has not accepted is refused until then', async () => {
    const take = (): Promise<unknown> => importCredential(userId, 'noticed', toFiles({ token: 't' }), 'operator');
    await expect(take()).rejects.toMatchObject({ code: 'provider_unavailable' });
    await notices.accept('noticed', toNoticeHash({ title: 'Read this', text: 'The words.' }), 'operator');
    expect(await take()).toMatchObject({ provider: 'noticed', version: 1 });
  });
});
