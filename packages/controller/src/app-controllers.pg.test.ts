/** Two controllers over one database, and frozen VMs. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ROUTES } from '@vestibule/protocol/routes';
import { createTestDatabase, type TestDatabase } from './db/testing.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './testing-app.ts';

let database: TestDatabase;
const apps: TestApp[] = [];
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.remove();
  await database.close();
});
async function start(options?: TestAppOptions): Promise<TestApp> {
  const app = await startTestApp(database, options);
  apps.push(app);
  return app;
}
const connect = async (app: TestApp, userId: string = randomUUID(), supersede = false): Promise<string> =>
  (await app.client.createSession({ userId, provider: 'demo', supersede })).sessionId;

describe('two controllers over one database', () => {
  it('leave each other the sign-ins only one of them offers', async () => {
    const a = await start({ env: { VESTIBULE_MAX_SESSIONS: '1' } });
    await a.ended(await connect(a));
    // Its only place is kept for the grace, so the next one waits.
    const sessionId = await connect(a);
    await start({ env: { VESTIBULE_DEMO: '0' } });
    await wait(1_500);
    expect((await a.client.getSession(sessionId)).status).not.toBe('failed');
  });

  it('settle a session before it is superseded through the other one (I9)', async () => {
    const userId = randomUUID();
    const a = await start({ fakeScript: { signIn: 'never' } });
    const first = await connect(a, userId);
    await a.follow(first, ({ status }) => status === 'awaiting_user_auth');
    const b = await start();
    await connect(b, userId, true);
    const steps = (await a.client.getTimeline(first)).steps.map(({ type }) => type);
    expect(steps).toContain('settling');
  });
});

/** Opens the live view at one controller; resolves with its first bytes, or with how it was closed. */
async function view(app: TestApp, sessionId: string): Promise<{ socket: WebSocket; first: string | number }> {
  const { ticket } = await app.client.issueTicket(sessionId);
  const url = `${app.origin.replace('http', 'ws')}${ROUTES.liveView(ticket)}`;
  const socket = new WebSocket(url, ['binary'], { origin: app.origin });
  const first = await Promise.race([
    once(socket, 'message').then(([data]) => String(data)),
    once(socket, 'close').then(([code]) => code as number),
  ]);
  return { socket, first };
}

describe('the live view through a controller that does not own the VM', () => {
  const NOT_OFFERED = { VESTIBULE_DEMO: '0' };

  it('shows the screen, is recorded once, and ends with the session', async () => {
    const owner = await start({ fakeScript: { signIn: 'never' } });
    const other = await start({ env: NOT_OFFERED });
    const sessionId = await connect(owner);
    await owner.follow(sessionId, ({ liveView }) => liveView === 'ready');
    const { socket, first } = await view(other, sessionId);
    expect(first).toMatch(/^RFB 003/);
    const closed = once(socket, 'close');
    await other.client.cancelSession(sessionId);
    expect((await closed)[0]).toBe(4410);
    const steps = (await owner.client.getTimeline(sessionId)).steps.filter(({ type }) => type === 'live_view_opened');
    expect(steps).toHaveLength(1);
  });

  it('takes a ticket that another controller issued', async () => {
    const owner = await start({ fakeScript: { signIn: 'never' } });
    const other = await start({ env: NOT_OFFERED });
    const sessionId = await connect(owner);
    await owner.follow(sessionId, ({ liveView }) => liveView === 'ready');
    const there = { ...owner, client: other.client };
    const { socket, first } = await view(there, sessionId);
    expect(first).toMatch(/^RFB 003/);
    socket.terminate();
  });

  it('says in the log why it cannot reach the owner, and holds the viewer until the session ends', async () => {
    const owner = await start({ fakeScript: { signIn: 'never' }, env: { VESTIBULE_PEER_URL: 'https://127.0.0.1:1' } });
    const other = await start({ env: NOT_OFFERED });
    const sessionId = await connect(owner);
    await owner.follow(sessionId, ({ liveView }) => liveView === 'ready');
    const viewed = view(other, sessionId);
    await expect.poll(() => other.logs.join('')).toMatch(/cannot be shown here: https:..127.0.0.1:1 cannot be reached/);
    await other.client.cancelSession(sessionId);
    expect((await viewed).first).toBe(4410);
  });
});

describe('an answer through a controller that does not own the VM', () => {
  it('reaches the program, and the sign-in goes on', async () => {
    const owner = await start({ fakeScript: { signIn: 'click' } });
    const other = await start({ env: { VESTIBULE_DEMO: '0' } });
    const sessionId = await connect(owner);
    await owner.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
    await other.client.answer(sessionId, { text: 'canary-answer', kind: 'line' });
    expect((await other.ended(sessionId)).status).toBe('completed');
    const { steps } = await other.client.getTimeline(sessionId);
    expect(steps.filter(({ type }) => type.startsWith('answer')).map(({ type }) => type)).toEqual([
      'answer_received',
      'answer_delivered',
    ]);
    expect([...owner.logs, ...other.logs, JSON.stringify(steps)].join('')).not.toContain('canary-answer');
  });

  it('is refused in words when the owner is away, and not delivered when it is back', async () => {
    const owner = await start({ fakeScript: { signIn: 'click' } });
    const other = await start({ env: { VESTIBULE_DEMO: '0' } });
    const sessionId = await connect(owner);
    await owner.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
    await owner.stop();
    await expect(other.client.answer(sessionId, { text: 'late', kind: 'line' })).rejects.toMatchObject({
      code: 'session_not_waiting',
      detail: expect.stringContaining('will not get it later') as string,
    });
    await start({ dataDir: owner.dataDir, fakeScript: { signIn: 'click' } });
    await other.client.answer(sessionId, { text: 'now', kind: 'line' });
    const delivered = await database.ownerPool.query('select from session_answers where delivered_at is not null');
    expect([(await other.ended(sessionId)).status, delivered.rowCount]).toEqual(['completed', 1]);
  });
});

describe('a host that is away for longer than its hold', () => {
  it('is given up by the other one; back again, it refuses and records what its agent held, and destroys the VM', async () => {
    const env = { VESTIBULE_HOLD_SECONDS: '1', VESTIBULE_GRACE_SECONDS: '0' };
    const journal = join(tmpdir(), `${database.name}.journal`);
    const away = await start({ fakeScript: { signIn: 'auto', afterMs: 5_000, journal }, env });
    const sessionId = await connect(away);
    await away.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
    await away.stop();
    const other = await start({ env: { ...env, VESTIBULE_DEMO: '0' } });
    const last = (await other.follow(sessionId)).at(-1)!.session;
    expect(last).toMatchObject({ status: 'failed', errorCode: 'host_lost', vm: { state: 'lost' }, lateRefused: false });
    // Meanwhile the person signed in, with nobody there to take the login.
    await expect.poll(() => existsSync(journal), { timeout: 20_000 }).toBe(true);
    rmSync(journal);
    const back = await start({ dataDir: away.dataDir, env });
    await expect
      .poll(async () => (await back.client.getSession(sessionId)).vm?.state, { timeout: 20_000 })
      .toBe('gone');
    expect(await other.client.getSession(sessionId)).toMatchObject({
      status: 'failed',
      errorCode: 'host_lost',
      lateRefused: true,
    });
  });
});

describe('a frozen VM', () => {
  it.each(['boot', 'url_opened'] as const)(
    'from %s on does not hold its session beyond deadline and hold',
    async (hang) => {
      const env = { VESTIBULE_SESSION_SECONDS: '1', VESTIBULE_HOLD_SECONDS: '1', VESTIBULE_GRACE_SECONDS: '0' };
      const app = await start({ fakeScript: { hang }, env });
      const sessionId = await connect(app);
      const last = (await app.follow(sessionId)).at(-1)?.session;
      expect(last).toMatchObject({ status: 'timeout', vm: { state: 'gone' } });
    },
  );

  it('is destroyed also when it freezes in its grace', async () => {
    const env = { VESTIBULE_GRACE_SECONDS: '1' };
    const app = await start({ fakeScript: { hang: 'answered' }, env });
    const last = (await app.follow(await connect(app))).at(-1)?.session;
    expect(last).toMatchObject({ status: 'completed', vm: { state: 'gone' } });
  });
});
