/** The log of a sign-in's machine, as the operator reads it from a whole controller. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
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

async function start(options: TestAppOptions): Promise<TestApp> {
  const app = await startTestApp(database, options);
  apps.push(app);
  return app;
}

/** A sign-in that waits for its person, and the folder of its machine. */
async function connect(app: TestApp): Promise<{ sessionId: string; vmDir: string }> {
  const { sessionId } = await app.client.createSession({ userId: randomUUID(), provider: 'demo' });
  const pushes = await app.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
  return { sessionId, vmDir: join(app.dataDir, 'vms', pushes.at(-1)?.session.vm?.vmId ?? '') };
}

it('is read in one piece while the machine runs and after it is gone, without what looks like a secret', async () => {
  const app = await start({ fakeScript: { signIn: 'never' }, env: { VESTIBULE_GRACE_SECONDS: '0' } });
  const { sessionId, vmDir } = await connect(app);
  writeFileSync(join(vmDir, 'vm.log.1'), 'booted\n');
  writeFileSync(join(vmDir, 'vm.log'), 'GET /callback?code=canary-of-a-code HTTP/1.1\n');
  const whole = 'booted\nGET /callback?code=[secret] HTTP/1.1\n';
  expect(await app.client.readMachineLog(sessionId)).toBe(whole);
  await app.client.cancelSession(sessionId);
  await app.follow(sessionId, ({ vm }) => vm?.state === 'gone');
  expect(await app.client.readMachineLog(sessionId)).toBe(whole);
});

it('says where it is when the machine is on another host, and that none is kept', async () => {
  const owner = await start({ fakeScript: { signIn: 'never' } });
  const other = await start({ env: { VESTIBULE_DEMO: '0' } });
  const { sessionId } = await connect(owner);
  await expect(other.client.readMachineLog(sessionId)).rejects.toMatchObject({
    code: 'machine_log_not_found',
    detail: expect.stringContaining(`on another host, and so is its log: ask host_`) as string,
  });
  await expect(other.client.readMachineLog(sessionId)).rejects.toThrow(owner.origin);
  await expect(owner.client.readMachineLog(sessionId)).rejects.toThrow('has printed nothing');
  await expect(owner.client.readMachineLog(randomUUID())).rejects.toMatchObject({ code: 'session_not_found' });
});
