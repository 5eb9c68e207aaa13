import { createHash, randomUUID } from 'node:crypto';
import type { CredentialFiles, Handover } from '@vestibule/protocol/agent-messages';
import { MAX_CREDENTIAL_BYTES, toHandoverBytes } from '@vestibule/protocol/agent-messages';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { toSession } from './session-row.ts';
import { createTakeHandover, type HandoverAnswer, type TakeHandover } from './take-handover.ts';
import { createTestSessions, TEST_KEY, toHandover } from './testing-sessions.ts';

const PATH = '.config/demo/credentials.json';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;
let take: TakeHandover;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
  take = createTake(TEST_KEY);
});
afterAll(() => database.close());

type Seal = Parameters<typeof createTakeHandover>[0]['seal'];

function createTake(keyId: string, seal?: Seal): TakeHandover {
  return createTakeHandover({
    store: sessions.store,
    completions: sessions.completions,
    seal:
      seal ??
      ((_owner, files) =>
        Promise.resolve({ credentialId: randomUUID(), encryptedData: Buffer.from(JSON.stringify(files)), keyId })),
    credentialFileSets: () => [[PATH]],
  });
}

function offer(content: string, path = PATH): Handover {
  const files: CredentialFiles = [{ path, contentBase64: Buffer.from(content).toString('base64') }];
  return toHandover({ files, contentHash: createHash('sha256').update(toHandoverBytes(files)).digest('hex') });
}

async function takeFor(
  session: { sessionId: string; vmId: string },
  handover: Handover,
  by = take,
): Promise<HandoverAnswer> {
  const row = await sessions.store.find(session.sessionId);
  if (row === null) throw new Error('no such session');
  return by(row, session.vmId, handover);
}

async function countVersions(sessionId: string): Promise<number> {
  const { rowCount } = await database.appPool.query('select from provider_credentials where source_session_id = $1', [
    sessionId,
  ]);
  return rowCount ?? 0;
}

describe('taking a hand-over', () => {
  it('completes the session and answers stored', async () => {
    const session = await sessions.awaitPerson();
    expect(await takeFor(session, offer('{"a":1}'))).toMatchObject({ result: 'stored' });
    expect((await sessions.store.find(session.sessionId))?.status).toBe('completed');
  });

  it('answers stored again, and stores once, when the same offer comes ten times at once', async () => {
    const session = await sessions.awaitPerson();
    const handover = offer('{"a":1}');
    const answers = await Promise.all(Array.from({ length: 10 }, () => takeFor(session, handover)));
    expect(new Set(answers.map((answer) => answer.result))).toEqual(new Set(['stored']));
    expect(await countVersions(session.sessionId)).toBe(1);
  });

  it('recognises the same bytes under another id, as an agent that was restarted offers them', async () => {
    const session = await sessions.awaitPerson();
    await takeFor(session, offer('{"a":1}'));
    expect(await takeFor(session, offer('{"a":1}'))).toMatchObject({ result: 'stored' });
  });

  it('refuses other bytes after completion and notes that they came late', async () => {
    const session = await sessions.awaitPerson();
    await takeFor(session, offer('{"a":1}'));
    expect(await takeFor(session, offer('{"a":2}'))).toMatchObject({
      result: 'refused',
      reason: 'already_stored_other',
    });
    expect((await sessions.store.find(session.sessionId))?.lateRefusedAt).not.toBeNull();
  });

  it.each(['failed', 'timeout', 'cancelled'] as const)(
    'refuses what surfaces after the session ended as %s, and says so',
    async (status) => {
      const sessionId = await sessions.endAs(status);
      const vmId = (await sessions.store.find(sessionId))!.vm!.vmId;
      expect(await takeFor({ sessionId, vmId }, offer('{"a":1}'))).toMatchObject({
        result: 'refused',
        reason: 'session_ended',
      });
      const row = await sessions.store.find(sessionId);
      expect(row?.status).toBe(status);
      expect(row?.lateRefusedAt).not.toBeNull();
      expect(await countVersions(sessionId)).toBe(0);
    },
  );

  it('refuses, and stores nothing, when the session was cancelled after its row was read', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    const row = (await sessions.store.find(sessionId))!;
    const cancel = { event: 'cancel_requested', code: 'cancelled', message: 'no', actor: 'person' } as const;
    await sessions.store.end(sessionId, cancel);
    expect(await take(row, vmId, offer('{"a":1}'))).toMatchObject({ result: 'refused', reason: 'session_ended' });
    expect(await sessions.store.find(sessionId)).toMatchObject({ status: 'cancelled' });
    expect(await countVersions(sessionId)).toBe(0);
  });

  it.each([
    ['files the provider does not write', offer('x', '.ssh/id_ed25519'), 'invalid'],
    ['a hash of other bytes', { ...offer('{"a":1}'), contentHash: 'b'.repeat(64) }, 'invalid'],
    ['more than a login can be', offer('x'.repeat(MAX_CREDENTIAL_BYTES + 1)), 'too_large'],
    ['nothing', offer(''), 'invalid'],
  ])('refuses %s and leaves the session active', async (_what, handover, reason) => {
    const session = await sessions.awaitPerson();
    expect(await takeFor(session, handover)).toMatchObject({ result: 'refused', reason });
    expect((await sessions.store.find(session.sessionId))?.status).toBe('awaiting_user_auth');
    expect(await countVersions(session.sessionId)).toBe(0);
  });

  it('refuses the offer of a VM that is not the session’s', async () => {
    const mine = await sessions.awaitPerson();
    const other = await sessions.awaitPerson();
    const answer = await takeFor({ sessionId: mine.sessionId, vmId: other.vmId }, offer('{"a":1}'));
    expect(answer).toMatchObject({ result: 'refused', reason: 'session_ended' });
    expect((await sessions.store.find(mine.sessionId))?.status).toBe('awaiting_user_auth');
  });

  it('neither stores nor answers under a retired key: the agent offers again', async () => {
    await database.ownerPool.query(`insert into vault_keys (key_id, state) values ('key_old', 'retired')`);
    const session = await sessions.awaitPerson();
    await expect(takeFor(session, offer('{"a":1}'), createTake('key_old'))).rejects.toThrow('not active');
    expect((await sessions.store.find(session.sessionId))?.status).toBe('awaiting_user_auth');
  });

  it('keeps what the login says of itself beside the version', async () => {
    const session = await sessions.awaitPerson();
    await takeFor(session, {
      ...offer('{"a":1}'),
      organization: 'org_1',
      accountPlan: 'pro',
      evidence: ['cli_exit_zero'],
    });
    const { rows } = await database.appPool.query(
      'select account, organization, account_plan, evidence from provider_credentials where source_session_id = $1',
      [session.sessionId],
    );
    expect(rows).toEqual([
      { account: 'ada@example.org', organization: 'org_1', account_plan: 'pro', evidence: ['cli_exit_zero'] },
    ]);
    const row = await sessions.store.find(session.sessionId);
    expect(toSession(row!)).toMatchObject({ accountPlan: 'pro', grade: 'cli_says_so' });
  });

  describe('for a session that must be of somebody', () => {
    const restriction = { expectedAccount: 'Ada@example.org' };

    it('completes it when the login is theirs', async () => {
      const session = await sessions.awaitPerson(undefined, undefined, { restriction });
      expect(await takeFor(session, offer('{"a":1}'))).toMatchObject({ result: 'stored' });
      const row = (await sessions.store.find(session.sessionId))!;
      expect(toSession(row)).toMatchObject({ status: 'completed', restriction });
    });

    it.each([
      ['of another', 'eve@example.org', /of eve@example\.org, wanted is Ada@example\.org/],
      ['of nobody it names', null, /does not say whose it is/],
    ])('ends it in words, seals nothing and stores nothing when the login is %s', async (_whose, account, words) => {
      const userId = randomUUID();
      const before = await sessions.complete(await sessions.awaitPerson(userId));
      const session = await sessions.awaitPerson(userId, undefined, { restriction });
      const sealNothing = createTake(TEST_KEY, () => Promise.reject(new Error('it was sealed')));
      const wrong = { ...offer('{"a":1}'), account };
      expect(await takeFor(session, wrong, sealNothing)).toMatchObject({ result: 'refused', reason: 'session_ended' });
      const row = await sessions.store.find(session.sessionId);
      expect(row).toMatchObject({ status: 'failed', errorCode: 'wrong_account' });
      expect(row?.errorMessage).toMatch(words);
      const { rows } = await database.appPool.query<{ credential_id: string }>(
        'select credential_id from provider_credentials where user_id = $1 and revoked_at is null',
        [userId],
      );
      expect(rows).toEqual([{ credential_id: before }]);
    });

    it('does not call it too late when the agent offers the wrong one again at its next link', async () => {
      const session = await sessions.awaitPerson(undefined, undefined, { restriction });
      const wrong = { ...offer('{"a":1}'), account: 'eve@example.org' };
      for (let link = 0; link < 3; link += 1)
        expect(await takeFor(session, wrong)).toMatchObject({ result: 'refused', reason: 'session_ended' });
      expect(await sessions.store.find(session.sessionId)).toMatchObject({ lateRefusedAt: null });
    });

    it('is not ended as wrong when it was cancelled after its row was read', async () => {
      const { sessionId, vmId } = await sessions.awaitPerson(undefined, undefined, { restriction });
      const row = (await sessions.store.find(sessionId))!;
      await sessions.endSession(sessionId, 'cancelled');
      const wrong = { ...offer('{"a":1}'), account: 'eve@example.org' };
      expect(await take(row, vmId, wrong)).toMatchObject({ result: 'refused', reason: 'session_ended' });
      expect(await sessions.store.find(sessionId)).toMatchObject({ status: 'cancelled', errorCode: 'cancelled' });
    });
  });

  it('keeps every version of a user and numbers them upwards', async () => {
    const userId = randomUUID();
    for (const content of ['1', '2', '3']) await takeFor(await sessions.awaitPerson(userId), offer(content));
    const { rows } = await database.appPool.query<{ version: number }>(
      'select version from provider_credentials where user_id = $1 order by created_at',
      [userId],
    );
    expect(rows.map((row) => row.version)).toEqual([1, 2, 3]);
  });
});
