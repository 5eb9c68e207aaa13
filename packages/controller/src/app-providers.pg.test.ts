/** Providers of a whole controller while it runs: files that come, change and go, a notice, and a login that is taken over. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Provider } from '@vestibule/protocol/api';
import { createTestDatabase, type TestDatabase } from './db/testing.ts';
import { toDefinitionText } from './providers/testing-definition.ts';
import { startTestApp, type TestApp } from './testing-app.ts';

/** Files are looked at once a second. */
const SOON = { timeout: 10_000, interval: 50 };
const NOTICE = 'notice: { title: Read this, text: The words. }';

let database: TestDatabase;
let folder: string;
let app: TestApp;
beforeEach(async () => {
  database = await createTestDatabase();
  folder = mkdtempSync(join(tmpdir(), 'vestibule-own-providers-'));
  app = await startTestApp(database, { fakeScript: { signIn: 'click' }, env: { VESTIBULE_PROVIDERS_DIR: folder } });
});
afterEach(async () => {
  await app.remove();
  await database.close();
  rmSync(folder, { recursive: true });
});

function write(text: string): void {
  writeFileSync(join(folder, 'tool.yaml'), text);
}

async function find(): Promise<Provider | undefined> {
  return (await app.client.listProviders('ada')).providers.find(({ id }) => id === 'tool');
}

/** Answers as soon as the program can be answered. */
async function signIn(sessionId: string): Promise<string> {
  await app.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
  await app.client.answer(sessionId, { text: 'yes', kind: 'line' });
  return (await app.ended(sessionId)).status;
}

it('a file that is dropped in makes a provider, whose sign-in completes also when the file is broken, changed and removed', async () => {
  write(toDefinitionText());
  await vi.waitFor(async () => expect((await find())?.available).toBe(true), SOON);
  const countHosts = async (): Promise<number | null> =>
    (await database.appPool.query(`select from hosts where 'tool' = any(providers)`)).rowCount;
  await vi.waitFor(async () => expect(await countHosts()).toBe(1), SOON);

  const { sessionId } = await app.client.createSession({ userId: 'ada', provider: 'tool' });
  await app.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
  write(toDefinitionText({ login: 'io: tty' }));
  await vi.waitFor(async () => {
    const { fileProblems } = await app.client.listProviders();
    expect(fileProblems[0]?.problems[0]).toContain('must be one of pipes');
  }, SOON);
  write(toDefinitionText({ name: 'Moved' }).replace('.tool/auth.json', '.tool/other.json'));
  await vi.waitFor(async () => expect((await find())?.name).toBe('Moved'), SOON);
  rmSync(join(folder, 'tool.yaml'));
  await vi.waitFor(async () => expect(await find()).toBeUndefined(), SOON);

  expect(await signIn(sessionId)).toBe('completed');
  await expect(app.client.createSession({ userId: 'ada', provider: 'tool' })).rejects.toMatchObject({
    code: 'unknown_provider',
  });
  await vi.waitFor(async () => expect(await countHosts()).toBe(0), SOON);
});

it('a provider with a notice starts no sign-in and takes over no login until the operator accepted it, and again once it changed', async () => {
  const files = [{ path: '.tool/auth.json', contentBase64: Buffer.from('{"token":"t"}').toString('base64') }];
  const refusal = { code: 'provider_unavailable', detail: 'The operator has not accepted the notice of Tool yet.' };
  write(toDefinitionText({ more: NOTICE }));
  await vi.waitFor(async () => expect((await find())?.reason).toBe(refusal.detail), SOON);
  const create = (): Promise<unknown> => app.client.createSession({ userId: 'ada', provider: 'tool' });
  await expect(create()).rejects.toMatchObject(refusal);
  await expect(app.client.importCredential('ada', 'tool', { files })).rejects.toMatchObject(refusal);

  const hash = (await find())?.notice?.hash ?? '';
  await expect(app.client.acceptNotice('tool', '0'.repeat(16))).rejects.toMatchObject({ code: 'notice_changed' });
  await app.client.acceptNotice('tool', hash);
  const accepted = await find();
  expect(accepted?.available).toBe(true);
  expect(accepted?.notice?.acceptedAt).toEqual(expect.any(String));
  await create();
  expect(await app.client.importCredential('ada', 'tool', { files })).toMatchObject({ version: 1, source: 'import' });
  expect(await app.client.listCredentials('ada')).toMatchObject([{ grade: 'file_complete' }]);

  write(toDefinitionText({ more: NOTICE.replace('The words', 'Other words') }));
  await vi.waitFor(async () => expect((await find())?.reason).toBe(refusal.detail), SOON);
  await expect(app.client.createSession({ userId: 'bob', provider: 'tool' })).rejects.toMatchObject(refusal);
});
