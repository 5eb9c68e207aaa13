import { createHash, randomUUID } from 'node:crypto';
import type { CredentialFiles, Handover } from '@vestibule/protocol/agent-messages';
import { MAX_CREDENTIAL_BYTES, toHandoverBytes } from '@vestibule/protocol/agent-messages';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
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

function createTake(keyId: string): TakeHandover {
  return createTakeHandover({
    store: sessions.store,
    completions: sessions.completions,
    seal: (_owner, files) =>
      Promise.resolve({ credentialId: randomUUID(), encryptedData: Buffer.from(JSON.stringify(files)), keyId }),
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
