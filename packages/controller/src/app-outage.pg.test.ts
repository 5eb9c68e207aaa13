/** Whole controllers whose database goes down in the middle: nobody who signed in sees a failure, and open pages catch up. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './db/testing.ts';
import { type Outage, startOutageProxy } from './db/testing-outage.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './testing-app.ts';

let database: TestDatabase;
let outage: Outage;
const apps: TestApp[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  outage = await startOutageProxy(database.owner);
});
afterEach(async () => {
  outage.restore();
  for (const app of apps.splice(0)) await app.remove();
  await outage.stop();
  await database.close();
});

async function start(options: TestAppOptions): Promise<TestApp> {
  const app = await startTestApp({ ...database, owner: outage.config }, options);
  apps.push(app);
  return app;
}

async function connect(app: TestApp): Promise<string> {
  return (await app.client.createSession({ userId: randomUUID(), provider: 'demo' })).sessionId;
}

/** Longer than every retry of the controller, shorter than a test may take. */
const OUTAGE_MS = 3_000;

describe('a database that is down', () => {
  it('while the agent hands over delays the sign-in, and the open page is told without gap or repeat', async () => {
    const app = await start({ fakeScript: { afterMs: 700 }, env: { VESTIBULE_GRACE_SECONDS: '0' } });
    const sessionId = await connect(app);
    const page = app.follow(sessionId);
    await app.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
    outage.cut();
    await wait(OUTAGE_MS);
    outage.restore();
    const pushes = await page;
    const steps = pushes.flatMap((push) => push.steps.map(({ seq }) => seq));
    expect(steps).toEqual(steps.map((_, index) => index + 1));
    expect(pushes.at(-1)?.session).toMatchObject({ status: 'completed', vm: { state: 'gone', exitCode: 1 } });
  });

  it('over the deadline of a session does not end it before its agent was asked', async () => {
    const app = await start({ fakeScript: { afterMs: 700 }, env: { VESTIBULE_SESSION_SECONDS: '1' } });
    const sessionId = await connect(app);
    await app.follow(sessionId, ({ status }) => status === 'awaiting_user_auth');
    outage.cut();
    await wait(OUTAGE_MS);
    outage.restore();
    expect((await app.ended(sessionId)).status).toBe('completed');
  });

  it('over the end of the grace leaves no VM behind, and its exit is still recorded as it was', async () => {
    const app = await start({ env: { VESTIBULE_GRACE_SECONDS: '1' } });
    const sessionId = await connect(app);
    await app.ended(sessionId);
    outage.cut();
    await wait(OUTAGE_MS);
    outage.restore();
    const last = (await app.follow(sessionId)).at(-1)?.session;
    expect(last).toMatchObject({ status: 'completed', vm: { state: 'gone', exitCode: 1 } });
  });

  it('is said to a person who clicks meanwhile, who can click again afterwards', async () => {
    const app = await start({});
    outage.cut();
    await expect(connect(app)).rejects.toMatchObject({ code: 'not_ready' });
    outage.restore();
    await expect
      .poll(
        () =>
          connect(app).then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true);
  });
});
