/** Another way to sign in, in the middle of a session: one session, one more way, and everything of the old way gone. */
import { AppError } from '@vestibule/protocol/errors';
import type { Mode } from '@vestibule/protocol/session';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createAuthSessions } from './auth-sessions.ts';
import { ChangeSignal } from './change-signal.ts';
import type { SessionRow } from './session-row.ts';
import { createTestSessions } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());

function start() {
  const signal = new ChangeSignal(systemClock);
  const asked: [SessionRow, readonly SessionRow[]][] = [];
  const holder = { blocker: null as string | null };
  let wakes = 0;
  const auth = createAuthSessions({
    store: sessions.store,
    requireProvider: (id, mode) =>
      mode === 'token'
        ? Promise.reject(new AppError('mode_not_offered', 'Demo does not offer token.'))
        : Promise.resolve(id),
    defaultMode: () => 'vm_browser',
    links: { fact: () => Promise.reject(new Error('no link is asked')) as never, settle: () => undefined },
    answers: { give: () => Promise.reject(new Error('nobody answers')) },
    offers: { find: () => Promise.resolve(null) },
    findTokenKinds: () => null,
    findBlocker(row, active) {
      asked.push([row, active]);
      return holder.blocker;
    },
    countPlaces: () => Promise.resolve(10),
    waitForChange: (id, timeoutMs) => signal.wait(id, timeoutMs),
    wake: () => void (wakes += 1),
    clock: systemClock,
    limits: { sessionMs: 60_000 },
  });
  return { auth, asked, holder, wakes: () => wakes };
}
const changesOf = async (sessionId: string): Promise<unknown[]> =>
  (await sessions.store.listSteps(sessionId, 0)).filter(({ type }) => type === 'mode_changed');

describe('changing the way to sign in', () => {
  it('counts the way up, says so in the timeline, and takes away what the program asked', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await sessions.store.showPrompt(sessionId, 'Continue? [Y/n]');
    const { auth, wakes } = start();
    const changed = await auth.changeMode(sessionId, 'own_browser');
    expect(changed).toMatchObject({ mode: 'own_browser', way: 2, prompt: null, status: 'awaiting_user_auth' });
    expect((await auth.changeMode(sessionId, 'device_code')).way).toBe(3);
    expect(await changesOf(sessionId)).toMatchObject([
      { actor: 'person', data: { from: 'vm_browser', to: 'own_browser', way: 2 } },
      { actor: 'person', data: { from: 'own_browser', to: 'device_code', way: 3 } },
    ]);
    expect(wakes()).toBe(2);
  });

  it('to the present way changes nothing', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const before = await sessions.store.find(sessionId);
    const same = await start().auth.changeMode(sessionId, 'vm_browser');
    expect(same).toMatchObject({ way: 1, seq: before?.seq });
    expect(await sessions.store.changeMode(sessionId, 'vm_browser')).toBe(false);
  });

  it('asked ten times at once counts once', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { auth } = start();
    await Promise.all(Array.from({ length: 10 }, () => auth.changeMode(sessionId, 'own_browser')));
    expect(await changesOf(sessionId)).toHaveLength(1);
  });

  it('between three ways at once numbers each change in its order', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { auth } = start();
    const modes: Mode[] = ['own_browser', 'device_code', 'vm_browser', 'own_browser', 'device_code'];
    await Promise.all(modes.map((mode) => auth.changeMode(sessionId, mode)));
    const changes = (await changesOf(sessionId)) as { data: { from: string; to: string; way: number } }[];
    let at = 'vm_browser';
    for (const [index, { data }] of changes.entries()) {
      expect(data).toMatchObject({ from: at, way: index + 2 });
      at = data.to;
    }
    expect(await sessions.store.find(sessionId)).toMatchObject({ mode: at, way: changes.length + 1 });
  });

  it.each(['completed', 'failed', 'timeout', 'cancelled'] as const)(
    'is refused once it has ended as %s',
    async (status) => {
      const id = await sessions.endAs(status);
      await expect(start().auth.changeMode(id, 'own_browser')).rejects.toMatchObject({ code: 'session_ended' });
      expect(await sessions.store.changeMode(id, 'own_browser')).toBe(false);
    },
  );

  it('to one that the provider does not offer is refused', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await expect(start().auth.changeMode(sessionId, 'token')).rejects.toMatchObject({ code: 'mode_not_offered' });
    expect(await sessions.store.find(sessionId)).toMatchObject({ mode: 'vm_browser', way: 1 });
  });

  it('to one that needs what another sign-in on the same host holds is refused in its words', async () => {
    const other = await sessions.awaitPerson();
    const { sessionId } = await sessions.awaitPerson(undefined, undefined, { mode: 'device_code' });
    const { auth, asked, holder } = start();
    holder.blocker = 'Another sign-in is using port 1455.';
    await expect(auth.changeMode(sessionId, 'vm_browser')).rejects.toMatchObject({
      code: 'provider_unavailable',
      detail: 'Another sign-in is using port 1455.',
    });
    const [row, active] = asked[0]!;
    expect(row).toMatchObject({ sessionId, mode: 'vm_browser' });
    expect(active.map((one) => one.sessionId)).toContain(other.sessionId);
    expect(await sessions.store.find(sessionId)).toMatchObject({ mode: 'device_code', way: 1 });
  });

  it('of a session whose VM is not placed yet asks for nothing that another one holds: it waits for it', async () => {
    const id = await sessions.begin();
    const { auth, holder } = start();
    holder.blocker = 'Another sign-in is using port 1455.';
    expect((await auth.changeMode(id, 'own_browser')).way).toBe(2);
  });

  it('completes as the same session with one version', async () => {
    const session = await sessions.awaitPerson();
    const { auth } = start();
    await auth.changeMode(session.sessionId, 'own_browser');
    await auth.changeMode(session.sessionId, 'device_code');
    await sessions.complete(session);
    expect(await auth.get(session.sessionId)).toMatchObject({ status: 'completed', mode: 'device_code', way: 3 });
    const { rowCount } = await database.ownerPool.query(
      'select from provider_credentials where source_session_id = $1',
      [session.sessionId],
    );
    expect(rowCount).toBe(1);
  });
});

describe('what the program asks', () => {
  it('is shown once for the same words, until it is answered', async () => {
    const { sessionId } = await sessions.awaitPerson();
    expect(await sessions.store.showPrompt(sessionId, 'Passphrase:')).toBe(true);
    expect(await sessions.store.showPrompt(sessionId, 'Passphrase:')).toBe(false);
    expect(await start().auth.get(sessionId)).toMatchObject({ prompt: 'Passphrase:' });
  });

  it('is not shown of a session that has ended', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await sessions.store.showPrompt(sessionId, 'Passphrase:');
    await sessions.endSession(sessionId, 'cancelled');
    expect(await start().auth.get(sessionId)).toMatchObject({ prompt: null });
    expect(await sessions.store.showPrompt(sessionId, 'Again?')).toBe(false);
  });
});
