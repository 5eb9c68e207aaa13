/** The whole path on the `fake` runtime: HTTP in, rows, reconciler, agent link, pushes out. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

async function connect(app: TestApp, userId: string = randomUUID()): Promise<string> {
  const { sessionId } = await app.client.createSession({ userId, provider: 'demo' });
  return sessionId;
}

const SHORT_GRACE = { VESTIBULE_GRACE_SECONDS: '0' };

describe('a sign-in on the fake runtime', () => {
  it('completes, is pushed in gapless order, and stays completed after its VM exited with 1', async () => {
    const app = await start({ env: SHORT_GRACE });
    const sessionId = await connect(app);
    const pushes = await app.follow(sessionId);
    const steps = pushes.flatMap((push) => push.steps);
    expect(steps.map((step) => step.seq)).toEqual(steps.map((_, index) => index + 1));
    expect(steps.map((step) => step.type)).toEqual(
      expect.arrayContaining([
        'session_created',
        'vm_creating',
        'vm_claimed',
        'url_opened',
        'credential_stored',
        'vm_exited',
        'vm_destroyed',
      ]),
    );
    const last = pushes.at(-1)!.session;
    expect(last).toMatchObject({ status: 'completed', credentialVersion: 1, vm: { state: 'gone', exitCode: 1 } });
    expect(steps.find((step) => step.type === 'vm_exited')?.data).toMatchObject({ exitCode: 1, normal: true });
    const { rows } = await database.appPool.query(
      'SELECT session_id, provider, status FROM auth_sessions WHERE session_id IN ($1)',
      [sessionId],
    );
    expect(rows).toEqual([{ session_id: sessionId, provider: 'demo', status: 'completed' }]);
  });

  it('resolves an alias to the canonical provider', async () => {
    const app = await start();
    const session = await app.client.createSession({ userId: randomUUID(), provider: 'demo_cli' });
    expect(session.provider).toBe('demo');
  });

  it('returns the active session on a second click, and a new one on supersede', async () => {
    const app = await start({ fakeScript: { signIn: 'never' } });
    const userId = randomUUID();
    const first = await app.client.createSession({ userId, provider: 'demo' });
    expect((await app.client.createSession({ userId, provider: 'demo' })).sessionId).toBe(first.sessionId);
    const second = await app.client.createSession({ userId, provider: 'demo', supersede: true });
    expect(second.sessionId).not.toBe(first.sessionId);
    expect((await app.client.getSession(first.sessionId)).errorCode).toBe('superseded');
  });

  it('cancels, and refuses to cancel what has completed', async () => {
    const app = await start({ fakeScript: { signIn: 'never' } });
    const sessionId = await connect(app);
    expect((await app.client.cancelSession(sessionId)).status).toBe('cancelled');
    expect((await app.client.cancelSession(sessionId)).status).toBe('cancelled');
    await app.stop();
    const quick = await start();
    const done = await connect(quick);
    await quick.ended(done);
    await expect(quick.client.cancelSession(done)).rejects.toMatchObject({ code: 'session_ended' });
  });

  it('times out in words when nobody signs in', async () => {
    const app = await start({ fakeScript: { signIn: 'never' }, env: { VESTIBULE_SESSION_SECONDS: '1' } });
    const session = await app.ended(await connect(app));
    expect(session).toMatchObject({ status: 'timeout', errorCode: 'deadline_passed' });
    expect(session.errorMessage).toContain('Start again');
  });

  it.each([
    ['before the agent answers', { exit: { when: 'boot', code: 1 } }, 'vm_start_failed'],
    ['before the sign-in page', { exit: { when: 'claimed', code: 1 } }, 'vm_ended'],
    ['while the person signs in', { signIn: 'never', exit: { when: 'url_opened', code: 0 } }, 'vm_ended'],
    ['after signing in, before the hand-over', { exit: { when: 'signed_in', code: 137 } }, 'vm_ended'],
  ])('fails in words when the VM ends %s', async (_when, fakeScript, code) => {
    const app = await start({ fakeScript });
    const session = await app.ended(await connect(app));
    expect(session).toMatchObject({ status: 'failed', errorCode: code, completedAt: null });
    expect(session.errorMessage).toMatch(/again/);
  });

  it('completes when the VM ends right after the hand-over was sent, before the answer', async () => {
    const app = await start({ fakeScript: { exit: { when: 'handed_over', code: 1 } } });
    expect((await app.ended(await connect(app))).status).toBe('completed');
  });

  it.each([
    ['a blank token', 'blank', 'credential_blank'],
    ['a half-written file', 'half_written', 'credential_unreadable'],
    ['a file that is not JSON', 'not_json', 'credential_unreadable'],
    ['a file of 50 MB', 'huge', 'credential_too_large'],
  ])('does not complete on %s', async (_what, credential, code) => {
    const app = await start({ fakeScript: { credential } });
    expect(await app.ended(await connect(app))).toMatchObject({
      status: 'failed',
      errorCode: code,
      credentialVersion: null,
    });
  });

  it('does not complete when the CLI ends with another code than 0', async () => {
    const app = await start({ fakeScript: { cliExitCode: 3 } });
    expect(await app.ended(await connect(app))).toMatchObject({ status: 'failed', errorCode: 'cli_exited' });
  });

  it('goes on after a restart of the controller: the VM is found, linked again, and the sign-in completes', async () => {
    const before = await startTestApp(database, { fakeScript: { signIn: 'auto', afterMs: 1_500 } });
    const sessionId = await connect(before);
    await before.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
    await before.stop();
    const after = await start({ dataDir: before.dataDir });
    expect((await after.ended(sessionId)).status).toBe('completed');
  });

  it('is not ended by a deadline that passed while the controller was away, if the agent holds a login', async () => {
    const env = { VESTIBULE_SESSION_SECONDS: '1' };
    const before = await startTestApp(database, { fakeScript: { signIn: 'auto', afterMs: 300 }, env });
    const sessionId = await connect(before);
    await before.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
    await before.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const after = await start({ dataDir: before.dataDir, env });
    expect((await after.ended(sessionId)).status).toBe('completed');
  });

  it('keeps a stored login when a later attempt fails', async () => {
    const userId = randomUUID();
    const good = await start();
    await good.ended(await connect(good, userId));
    // Two controllers share the work: this one's browsers would sign in.
    await good.stop();
    const bad = await start({ fakeScript: { credential: 'blank' } });
    await bad.ended(await connect(bad, userId));
    expect(await bad.client.listCredentials(userId)).toMatchObject([{ provider: 'demo', version: 1, revokedAt: null }]);
  });

  it('refuses a sign-in beyond the room there is, in words', async () => {
    const app = await start({ fakeScript: { signIn: 'never' }, env: { VESTIBULE_MAX_SESSIONS: '1' } });
    await connect(app);
    await expect(connect(app)).rejects.toMatchObject({ code: 'capacity' });
  });
});
