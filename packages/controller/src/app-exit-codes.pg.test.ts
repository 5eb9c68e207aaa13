/** Every exit code there is, for a sign-in that was completed and for one that was not: it is written down and decides nothing (I3). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from './db/testing.ts';
import { startTestApp, type TestApp } from './testing-app.ts';
import { waitUntil } from './testing-deaths.ts';
import { openFakeVms } from './testing-fake-deaths.ts';

const CODES = Array.from({ length: 256 }, (_, code) => code);
/** Side by side: one pass of the reconciler looks at them all. */
const WAVE = 64;
const waves = Array.from({ length: CODES.length / WAVE }, (_, wave) => CODES.slice(wave * WAVE, (wave + 1) * WAVE));

let database: TestDatabase;
let app: TestApp;

beforeAll(async () => {
  database = await createTestDatabase();
  app = await startTestApp(database, {
    fakeScript: { signIn: 'click' },
    env: { VESTIBULE_MAX_SESSIONS: String(WAVE), VESTIBULE_GRACE_SECONDS: '3600', VESTIBULE_LOG_LEVEL: 'warn' },
  });
});
afterAll(async () => {
  await app.remove();
  await database.close();
});

type Waiting = { vm_id: string; user_id: string };

/** Resolves once so many of them are as the condition says. */
async function findAll(count: number, condition: string): Promise<Waiting[]> {
  let found: Waiting[] = [];
  await waitUntil(`${count} are ${condition}`, async () => {
    const { rows } = await database.appPool.query<Waiting>(
      `select vm_id, user_id from auth_sessions join browser_vms using (vm_id) where state <> 'gone' and ${condition}`,
    );
    found = rows;
    return found.length === count;
  });
  return found;
}

/** The user's name says with which code the VM of the sign-in ends. */
async function play(codes: readonly number[], isCompleted: boolean): Promise<void> {
  const vms = openFakeVms(app.dataDir);
  const kind = isCompleted ? 'completed' : 'unfinished';
  await Promise.all(codes.map((code) => app.client.createSession({ userId: `${kind}-${code}`, provider: 'demo' })));
  let waiting = await findAll(codes.length, `status = 'awaiting_user_auth'`);
  if (isCompleted) {
    for (const { vm_id: vmId } of waiting) vms.control(vmId).signIn();
    waiting = await findAll(codes.length, `status = 'completed'`);
  }
  for (const { vm_id: vmId, user_id: userId } of waiting) vms.control(vmId).exit(Number(userId.split('-')[1]));
  await findAll(0, 'true');
}

async function tellOutcomes(kind: string): Promise<unknown[]> {
  const { rows } = await database.appPool.query<Record<string, unknown>>(
    `select s.user_id, v.exit_code, s.status, s.error_code, e.data->'normal' as normal
     from auth_sessions s join browser_vms v using (vm_id) join auth_session_events e on e.session_id = s.session_id
     where e.type = 'vm_exited' and s.user_id like $1 order by v.exit_code`,
    [`${kind}-%`],
  );
  return rows;
}

describe('no exit code from 0 to 255 of a VM changes what became of its session', () => {
  it.each([
    ['completed', { status: 'completed', error_code: null, normal: true }],
    ['unfinished', { status: 'failed', error_code: 'vm_ended', normal: false }],
  ])('when it was %s', async (kind, outcome) => {
    for (const codes of waves) await play(codes, kind === 'completed');
    const expected = CODES.map((code) => ({ user_id: `${kind}-${code}`, exit_code: code, ...outcome }));
    expect(await tellOutcomes(kind)).toEqual(expected);
  });
});
