/** Attacks on the rows of the ways to sign in with raw SQL, in the product's role and in the owner's. The database itself must refuse each. */
import { randomUUID } from 'node:crypto';
import { MODES } from '@vestibule/protocol/session';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createTestSessions, TEST_KEY } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());

const REFUSED = /^vestibule:|violates check|permission denied|duplicate key/;
const OFFER = `insert into session_offers (session_id, way, sealed_offer, key_id) values ($1, $2, 'sealed', '${TEST_KEY}')`;
const OUTPUT = `insert into session_outputs (session_id, n, text) values ($1, 1, 'Welcome')`;

describe.each(['the product’s role', 'the owner'])('%s', (role) => {
  const pool = (): Pool => (role === 'the owner' ? database.ownerPool : database.appPool);
  const attack = (text: string, values: unknown[]): Promise<string> =>
    pool()
      .query(text, values)
      .then(
        () => Promise.reject(new Error(`the database took it: ${text}`)),
        (error: Error) => error.message,
      );
  const onSession = (change: string, id: string): Promise<string> =>
    attack(`update auth_sessions set ${change} where session_id = $1`, [id]);
  const onOffer = (change: string, id: string): Promise<string> =>
    attack(`update session_offers set ${change} where session_id = $1`, [id]);

  it.each([
    ['the mode alone', `mode = 'own_browser'`],
    ['the way alone', 'way = way + 1'],
    ['the mode and two ways', `mode = 'own_browser', way = way + 2`],
    ['the way back', 'way = way - 1'],
  ])('cannot change %s', async (_what, change) => {
    const { sessionId } = await sessions.awaitPerson();
    expect(await onSession(change, sessionId)).toMatch(/counts up by one with its mode/);
  });

  it.each([
    `expected_account = 'eve@example.org'`,
    `allowed_domains = '{evil.test}'`,
    `organization = 'e'`,
    'may_use = true',
  ])('cannot change whom a sign-in must be of: %s', async (change) => {
    const { sessionId } = await sessions.awaitPerson();
    expect(await onSession(change, sessionId)).toMatch(/whom session .* must be of does not change/);
  });

  it('cannot change the way of a session that has ended', async () => {
    const id = await sessions.endAs('failed');
    expect(await onSession(`mode = 'token', way = way + 1`, id)).toMatch(/ended as failed/);
    expect(await onSession(`prompt = 'Password?'`, id)).toMatch(/ended as failed/);
  });

  it.each(['completed', 'failed', 'timeout', 'cancelled'] as const)(
    'finds the offer erased when its session ends as %s, and cannot bring it back (I7)',
    async (status) => {
      const session = await sessions.awaitPerson();
      await pool().query(OFFER, [session.sessionId, 1]);
      if (status === 'completed') await sessions.complete(session);
      else await sessions.endSession(session.sessionId, status);
      const { rows } = await pool().query('select sealed_offer from session_offers where session_id = $1', [
        session.sessionId,
      ]);
      expect(rows).toEqual([{ sealed_offer: null }]);
      expect(await onOffer(`sealed_offer = 'again', erased_at = null`, session.sessionId)).toMatch(/has not ended/);
    },
  );

  it('finds the offer erased when the way changes, and cannot bring it back for the old or a later way', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await pool().query(OFFER, [sessionId, 1]);
    await sessions.store.changeMode(sessionId, 'own_browser');
    const { rows } = await pool().query('select sealed_offer from session_offers where session_id = $1', [sessionId]);
    expect(rows).toEqual([{ sealed_offer: null }]);
    for (const way of [1, 3])
      expect(await onOffer(`sealed_offer = 'again', erased_at = null, way = ${way}`, sessionId)).toMatch(REFUSED);
  });

  it('cannot make an offer for a session that has ended or another way, delete one, or give it to another session', async () => {
    const ended = await sessions.endAs('cancelled');
    const { sessionId } = await sessions.awaitPerson();
    const other = await sessions.awaitPerson();
    expect(await attack(OFFER, [ended, 1])).toMatch(/has not ended/);
    expect(await attack(OFFER, [sessionId, 2])).toMatch(/present way/);
    await pool().query(OFFER, [sessionId, 1]);
    expect(await attack('delete from session_offers where session_id = $1', [sessionId])).toMatch(REFUSED);
    expect(await onOffer(`session_id = '${other.sessionId}'`, sessionId)).toMatch(REFUSED);
    expect(await attack('truncate session_offers', [])).toMatch(REFUSED);
  });

  it('cannot change or remove what a program wrote', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await pool().query(OUTPUT, [sessionId]);
    expect(await attack(`update session_outputs set text = 'other' where session_id = $1`, [sessionId])).toMatch(
      REFUSED,
    );
    expect(await attack('delete from session_outputs where session_id = $1', [sessionId])).toMatch(REFUSED);
    expect(await attack('truncate session_outputs', [])).toMatch(REFUSED);
    expect(await attack(OUTPUT, [sessionId])).toMatch(/duplicate key/);
  });

  it('cannot change what kind an answer is or why it was refused, nor deliver a refused one', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const id = randomUUID();
    await pool().query(
      `insert into session_answers (answer_id, session_id, sealed_text, key_id, expires_at)
       values ($2, $1, 'sealed', '${TEST_KEY}', now() + interval '5 s')`,
      [sessionId, id],
    );
    const onAnswer = (change: string): Promise<string> =>
      attack(`update session_answers set ${change} where answer_id = $1`, [id]);
    expect(await onAnswer(`refused_words = 'no'`)).toMatch(/refused_is_erased/);
    await pool().query(
      `update session_answers set refused_words = 'no', sealed_text = null, erased_at = now() where answer_id = $1`,
      [id],
    );
    for (const change of [
      `kind = 'keys'`,
      'way = 2',
      `refused_words = 'yes'`,
      'refused_words = null',
      'delivered_at = now()',
    ])
      expect(await onAnswer(change)).toMatch(REFUSED);
  });
});

describe('the words of the database', () => {
  it('are the ways of the protocol', async () => {
    const { rows } = await database.ownerPool.query<{ definition: string }>(
      `select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'auth_sessions_mode_check'`,
    );
    const words = [...(rows[0]?.definition ?? '').matchAll(/'([a-z_]+)'::text/g)].map((match) => match[1]);
    expect(new Set(words)).toEqual(new Set(MODES));
  });
});
