/** The timeline of whole sign-ins: why each ended as it did can be read back, with who did it and the cause. */
import { randomUUID } from 'node:crypto';
import type { SessionEventType, SessionStep } from '@vestibule/protocol/session';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './db/testing.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './testing-app.ts';
import { waitUntil } from './testing-deaths.ts';
import { openFakeVms } from './testing-fake-deaths.ts';

let database: TestDatabase;
const apps: TestApp[] = [];
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  for (const app of apps.splice(0)) await app.remove();
  await database.close();
});

async function start(options: TestAppOptions): Promise<TestApp> {
  const app = await startTestApp(database, options);
  apps.push(app);
  return app;
}

async function connect(app: TestApp, userId: string = randomUUID(), supersede = false): Promise<string> {
  return (await app.client.createSession({ userId, provider: 'demo', supersede })).sessionId;
}

const isWaiting = ({ status }: { status: string }): boolean => status === 'awaiting_user_auth';

/** The one step of that type, once it is there. */
async function findStep(app: TestApp, sessionId: string, type: SessionEventType): Promise<SessionStep | undefined> {
  let found: SessionStep | undefined;
  await waitUntil(`there is ${type}`, async () => {
    const { steps } = await app.client.getTimeline(sessionId);
    found = steps.find((step) => step.type === type);
    return found !== undefined;
  });
  return found;
}

describe('the timeline tells', () => {
  it('of a completed sign-in: what was stored on which evidence, that the VM’s end was normal, and why it was destroyed', async () => {
    const app = await start({ env: { VESTIBULE_GRACE_SECONDS: '0' } });
    const sessionId = await connect(app);
    expect(await findStep(app, sessionId, 'vm_destroyed')).toMatchObject({
      actor: 'controller',
      data: { cause: 'grace_over' },
    });
    expect(await findStep(app, sessionId, 'credential_stored')).toMatchObject({
      actor: 'agent',
      data: { version: 1, evidence: ['files_complete', 'cli_exit_zero'] },
    });
    expect(await findStep(app, sessionId, 'vm_exited')).toMatchObject({
      actor: 'supervisor',
      data: { exitCode: 1, reason: 'exited with code 1', normal: true },
    });
  });

  it('of a VM that ended too early: how it ended, that settling began for it, and the words the person read', async () => {
    const app = await start({ fakeScript: { exit: { when: 'url_opened', code: 9 } } });
    const sessionId = await connect(app);
    const { errorMessage } = await app.ended(sessionId);
    expect(await findStep(app, sessionId, 'vm_exited')).toMatchObject({ data: { exitCode: 9, normal: false } });
    expect(await findStep(app, sessionId, 'settling')).toMatchObject({
      actor: 'controller',
      data: { cause: 'vm_ended', code: 'vm_ended', detail: 'exited with code 9' },
    });
    expect(await findStep(app, sessionId, 'session_failed')).toMatchObject({
      actor: 'controller',
      data: { cause: 'vm_ended', code: 'vm_ended', message: errorMessage },
    });
    expect(await findStep(app, sessionId, 'vm_destroyed')).toMatchObject({ data: { cause: 'had_ended' } });
  });

  it('of a time that ran out: that settling began for the deadline', async () => {
    const app = await start({ fakeScript: { signIn: 'never' }, env: { VESTIBULE_SESSION_SECONDS: '1' } });
    const sessionId = await connect(app);
    await app.ended(sessionId);
    const deadline = { cause: 'deadline_passed', code: 'deadline_passed' };
    expect(await findStep(app, sessionId, 'settling')).toMatchObject({ actor: 'controller', data: deadline });
    expect(await findStep(app, sessionId, 'session_timed_out')).toMatchObject({ actor: 'controller', data: deadline });
  });

  it('of a cancelled sign-in: who cancelled it, and that the login that surfaced later was refused for that', async () => {
    const app = await start({ fakeScript: { afterMs: 1_000 } });
    const sessionId = await connect(app);
    await app.follow(sessionId, isWaiting);
    await app.client.cancelSession(sessionId);
    expect(await findStep(app, sessionId, 'session_cancelled')).toMatchObject({
      actor: 'person',
      data: { cause: 'cancel_requested', code: 'cancelled' },
    });
    expect(await findStep(app, sessionId, 'late_refused')).toMatchObject({
      actor: 'agent',
      data: { reason: 'session_ended' },
    });
  });

  it('of a superseded sign-in: that a newer one took its place, and of the newer one whose place it took', async () => {
    const app = await start({ fakeScript: { signIn: 'never' } });
    const userId = randomUUID();
    const first = await connect(app, userId);
    const second = await connect(app, userId, true);
    expect(await findStep(app, first, 'session_cancelled')).toMatchObject({
      actor: 'person',
      data: { code: 'superseded' },
    });
    expect(await findStep(app, second, 'session_created')).toMatchObject({
      actor: 'person',
      data: { supersedes: first },
    });
  });

  it('of a host that fell silent: that settling began for its silence', async () => {
    const gone = await start({ fakeScript: { signIn: 'never' } });
    const sessionId = await connect(gone);
    await gone.follow(sessionId, isWaiting);
    await gone.stop();
    const app = await start({ env: { VESTIBULE_HOLD_SECONDS: '1' } });
    await app.ended(sessionId);
    expect(await findStep(app, sessionId, 'settling')).toMatchObject({
      actor: 'controller',
      data: { cause: 'vm_ended', code: 'host_lost' },
    });
  });

  it('of each step who took it, and of a machine on which host it runs', async () => {
    const app = await start({ fakeScript: { signIn: 'never' } });
    const sessionId = await connect(app);
    await app.follow(sessionId, isWaiting);
    openFakeVms(app.dataDir)
      .control((await app.client.getSession(sessionId)).vm?.vmId ?? '')
      .vanish();
    await app.ended(sessionId);
    const { steps } = await app.client.getTimeline(sessionId);
    expect(steps.map(({ type, actor }) => `${type} by ${actor}`)).toEqual(
      expect.arrayContaining([
        'session_created by person',
        'vm_creating by controller',
        'vm_claimed by controller',
        'capability_ready by agent',
        'url_opened by agent',
        'vm_exited by supervisor',
      ]),
    );
    expect(steps.find(({ type }) => type === 'vm_creating')?.data).toMatchObject({
      hostId: expect.stringMatching(/^host_/) as string,
    });
  });
});
