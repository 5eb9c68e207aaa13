/** Every way to sign in, over whole controllers: two of them on one database, of which one alone holds the VM. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateSessionBody, Session, SessionOffer } from '@vestibule/protocol/api';
import { ROUTES } from '@vestibule/protocol/routes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './db/testing.ts';
import { toDefinitionText } from './providers/testing-definition.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './testing-app.ts';

const WAYS = `  account: { file: .tool/auth.json, field: account }
modes: [vm_browser, own_browser, device_code, token]
ways:
  device_code: { codePattern: 'code (.*)', urlPattern: 'link (.*)' }
  token: { kinds: [{ id: api_key, name: API key, hint: Made at example.test., pattern: '^key-', input: stdin }] }`;

let database: TestDatabase;
let providersDir: string;
const apps: TestApp[] = [];
beforeAll(() => {
  providersDir = mkdtempSync(join(tmpdir(), 'vestibule-ways-'));
  writeFileSync(join(providersDir, 'tool.yaml'), toDefinitionText({ more: WAYS }));
});
afterAll(() => rmSync(providersDir, { recursive: true, force: true }));
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.remove();
  await database.close();
});

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const fakeScript = { signIn: 'click', ...options.fakeScript };
  const app = await startTestApp(database, { ...options, fakeScript, env: { VESTIBULE_PROVIDERS_DIR: providersDir } });
  apps.push(app);
  return app;
}
/** The owner holds the VM: the other one is there before there is anything to place only once the owner has placed it. */
async function startTwo(
  body: Partial<CreateSessionBody>,
  options?: TestAppOptions,
): Promise<{ owner: TestApp; other: TestApp; sessionId: string }> {
  const owner = await start(options);
  const { sessionId } = await owner.client.createSession({ userId: randomUUID(), provider: 'tool', ...body });
  await owner.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
  return { owner, other: await start(options), sessionId };
}
async function offered(app: TestApp, sessionId: string, mode: string): Promise<SessionOffer> {
  let found: SessionOffer | null = null;
  await expect
    .poll(async () => (found = await app.client.findOffer(sessionId))?.offer.mode, { timeout: 20_000 })
    .toBe(mode);
  return found!;
}
const callbackOf = ({ offer }: SessionOffer, change: Record<string, string> = {}): string => {
  const state = new URL(offer.url!).searchParams.get('state')!;
  const query = new URLSearchParams({ code: 'canary-code', state, ...change });
  return `http://localhost:${offer.callback!.port}${offer.callback!.path}?${String(query)}`;
};

/** What the program wrote, as a page follows it, to its end. */
async function readOutput(app: TestApp, sessionId: string): Promise<string> {
  const response = await fetch(`${app.origin}${ROUTES.output(sessionId)}`, {
    headers: { authorization: `Bearer ${app.token}`, accept: 'text/event-stream' },
    signal: AbortSignal.timeout(20_000),
  });
  return response.text();
}

describe('a sign-in through a controller that does not own the VM', () => {
  it('is changed twice in the middle and completes: one session, one version, nothing secret told (I7)', async () => {
    const { owner, other, sessionId } = await startTwo({}, { fakeScript: { deviceApprovedAfterMs: 300 } });
    const first = await offered(other, sessionId, 'vm_browser');
    expect(await other.client.changeMode(sessionId, 'own_browser')).toMatchObject({
      way: 2,
      status: 'awaiting_user_auth',
    });
    const second = await offered(other, sessionId, 'own_browser');
    expect([second.way, second.offer.url]).toEqual([2, first.offer.url]);
    const written = readOutput(other, sessionId);
    await other.client.changeMode(sessionId, 'device_code');
    const { way, offer } = await offered(other, sessionId, 'device_code');
    expect([way, offer.deviceCode]).toEqual([3, expect.stringMatching(/^\w{4}-\w{4}$/)]);
    const session = await other.ended(sessionId);
    expect(session).toMatchObject({
      status: 'completed',
      mode: 'device_code',
      way: 3,
      grade: 'cli_says_so',
      offered: false,
    });
    expect(session.credentialVersion).toBe(1);
    await expect(other.client.findOffer(sessionId)).resolves.toBeNull();
    expect(await written).toMatch(/event: output[^]*event: end/);
    const { steps } = await other.client.getTimeline(sessionId);
    const told = [...owner.logs, ...other.logs, JSON.stringify(steps), JSON.stringify(session)].join('');
    for (const secret of [new URL(first.offer.url!).searchParams.get('state')!, offer.deviceCode!])
      expect(told).not.toContain(secret);
    expect(steps.filter(({ type }) => type === 'offer_ready').map(({ data }) => data)).toMatchObject([
      { mode: 'vm_browser', kind: 'link' },
      { mode: 'own_browser', kind: 'link' },
      { mode: 'device_code', kind: 'device_code' },
    ]);
  });

  it('refuses the address of another sign-in in words, and takes the right one', async () => {
    const { other, sessionId } = await startTwo({ mode: 'own_browser' });
    const found = await offered(other, sessionId, 'own_browser');
    const forged = other.client.answer(sessionId, { text: callbackOf(found, { state: 'forged' }) });
    await expect(forged).rejects.toMatchObject({
      code: 'answer_refused',
      detail: expect.stringContaining('another sign-in') as string,
    });
    await other.client.answer(sessionId, { text: callbackOf(found) });
    expect((await other.ended(sessionId)).status).toBe('completed');
    await expect(other.client.answer(sessionId, { text: callbackOf(found) })).rejects.toMatchObject({
      code: 'session_ended',
    });
    await expect(other.client.changeMode(sessionId, 'token')).rejects.toMatchObject({ code: 'session_ended' });
  });

  it('is told a change of the way that was made while the owner of its VM was away', async () => {
    const { owner, other, sessionId } = await startTwo({ mode: 'own_browser' });
    await owner.stop();
    await other.client.changeMode(sessionId, 'token');
    await start({ dataDir: owner.dataDir });
    expect((await offered(other, sessionId, 'token')).way).toBe(2);
    const give = (text: string): Promise<Session> =>
      other.client.answer(sessionId, { kind: 'token', tokenKind: 'api_key', text });
    await expect(give('canary-password')).rejects.toMatchObject({ code: 'answer_refused' });
    await give('key-canary');
    expect((await other.ended(sessionId)).status).toBe('completed');
  });

  it('shows what the program asks, and takes keys for it', async () => {
    const owner = await start({ fakeScript: { prompt: 'Continue? [Y/n]' } });
    const { sessionId } = await owner.client.createSession({ userId: randomUUID(), provider: 'tool' });
    await owner.follow(sessionId, ({ prompt }) => prompt !== null);
    const other = await start();
    expect((await other.client.getSession(sessionId)).prompt).toBe('Continue? [Y/n]');
    expect((await other.client.answer(sessionId, { kind: 'keys', text: 'y' })).prompt).toBeNull();
    await other.client.answer(sessionId, { kind: 'keys', text: '\r' });
    await offered(other, sessionId, 'vm_browser');
    const types = (await other.client.getTimeline(sessionId)).steps.map(({ type }) => type);
    expect(types.filter((type) => type === 'terminal_taken')).toHaveLength(1);
  });
});

describe('a sign-in that must be of somebody', () => {
  it('ends in words when it is of another, and stores nothing', async () => {
    const app = await start({ fakeScript: { signIn: 'auto' } });
    const body = { userId: randomUUID(), provider: 'tool', allowedDomains: ['example.org'] };
    const { sessionId, restriction } = await app.client.createSession(body);
    expect(restriction).toEqual({ allowedDomains: ['example.org'] });
    expect(await app.ended(sessionId)).toMatchObject({
      status: 'failed',
      errorCode: 'wrong_account',
      errorMessage: expect.stringContaining('fake-person@example.test, wanted is an account of example.org') as string,
    });
    expect(await app.client.listCredentials(body.userId)).toEqual([]);
  });

  it('completes when it is of them', async () => {
    const app = await start({ fakeScript: { signIn: 'auto' } });
    const body = { userId: randomUUID(), provider: 'tool', expectedAccount: 'Fake-Person@example.test' };
    const { sessionId } = await app.client.createSession(body);
    expect((await app.ended(sessionId)).status).toBe('completed');
  });
});
