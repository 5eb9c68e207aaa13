/** Attacks on I1, I2 and I9 with raw SQL, in the product's role and in the owner's. The database itself must refuse each. */
import { randomUUID } from 'node:crypto';
import { ACTIVE_STATUSES, STATUSES, TERMINAL_STATUSES } from '@vestibule/protocol/session';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { MACHINE } from './machine.ts';
import { createTestSessions, TEST_KEY } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
});
afterAll(() => database.close());

const REFUSED = /^vestibule:|violates (check|foreign key|unique)|permission denied|duplicate key/;

/** Runs statements in one transaction and resolves with what refused them; fails when nothing did. */
async function attack(pool: Pool, ...statements: [string, unknown[]][]): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    for (const [text, values] of statements) await client.query(text, values);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    return (error as Error).message;
  } finally {
    client.release();
  }
  throw new Error(`the database took it: ${statements.map(([text]) => text).join('; ')}`);
}

const COMPLETE = `update auth_sessions set status = 'completed', completed_at = now(), ended_at = now(), credential_id = $2 where session_id = $1`;
const STORE = `insert into provider_credentials (credential_id, user_id, provider, encrypted_data, key_id, version, source, source_session_id)
  select $2, user_id, provider, 'x', '${TEST_KEY}', 1, 'sign_in', session_id from auth_sessions where session_id = $1`;

describe.each(['the product’s role', 'the owner'])('%s', (role) => {
  const pool = (): Pool => (role === 'the owner' ? database.ownerPool : database.appPool);

  it('cannot complete a session without a credential', async () => {
    const { sessionId } = await sessions.awaitPerson();
    expect(
      await attack(pool(), [
        `update auth_sessions set status = 'completed', completed_at = now(), ended_at = now() where session_id = $1`,
        [sessionId],
      ]),
    ).toMatch(/completed_has_credential/);
    expect(await attack(pool(), [COMPLETE, [sessionId, randomUUID()]])).toMatch(/completed_by_own_credential/);
  });

  it('cannot complete a session with the credential of another session, user or provider', async () => {
    const other = await sessions.complete(await sessions.awaitPerson());
    const { sessionId } = await sessions.awaitPerson();
    expect(await attack(pool(), [COMPLETE, [sessionId, other]])).toMatch(/completed_by_own_credential/);
  });

  it('cannot store a credential of a session without completing it', async () => {
    const { sessionId } = await sessions.awaitPerson();
    expect(await attack(pool(), [STORE, [sessionId, randomUUID()]])).toMatch(/without completing session/);
    const failed = await sessions.endAs('failed');
    expect(await attack(pool(), [STORE, [failed, randomUUID()]])).toMatch(/without completing session/);
  });

  it('cannot pass off a temporary table of its own for the sessions', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const credentialId = randomUUID();
    const client = await pool().connect();
    try {
      await client.query('create temp table auth_sessions (session_id uuid, status text, credential_id uuid)');
      await client.query(`insert into pg_temp.auth_sessions values ($1, 'completed', $2)`, [sessionId, credentialId]);
      const real = STORE.replace('from auth_sessions', 'from public.auth_sessions');
      await expect(client.query(real, [sessionId, credentialId])).rejects.toThrow('without completing session');
    } finally {
      await client.query('drop table if exists pg_temp.auth_sessions');
      client.release();
    }
  });

  it('can do both halves together, so that the refusals above are about the half', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const credentialId = randomUUID();
    await expect(
      attack(pool(), [STORE, [sessionId, credentialId]], [COMPLETE, [sessionId, credentialId]]),
    ).rejects.toThrow('the database took it');
  });

  describe.each(TERMINAL_STATUSES)('on a session that ended as %s', (status) => {
    it.each(STATUSES.filter((other) => other !== status))('cannot change it to %s', async (target) => {
      const id = await sessions.endAs(status);
      expect(
        await attack(pool(), ['update auth_sessions set status = $2 where session_id = $1', [id, target]]),
      ).toMatch(REFUSED);
    });

    it.each(['completed_at', 'ended_at', 'expires_at'])('cannot change %s', async (column) => {
      const id = await sessions.endAs(status);
      expect(
        await attack(pool(), [`update auth_sessions set ${column} = '2020-01-01' where session_id = $1`, [id]]),
      ).toMatch(REFUSED);
    });

    it('cannot change its error or its credential', async () => {
      const id = await sessions.endAs(status);
      const message = await attack(pool(), [
        `update auth_sessions set error_code = 'x', error_message = 'y' where session_id = $1`,
        [id],
      ]);
      expect(message).toMatch(REFUSED);
      expect(
        await attack(pool(), [
          'update auth_sessions set credential_id = gen_random_uuid() where session_id = $1',
          [id],
        ]),
      ).toMatch(REFUSED);
    });

    it('cannot delete it, nor insert it again', async () => {
      const id = await sessions.endAs(status);
      expect(await attack(pool(), ['delete from auth_sessions where session_id = $1', [id]])).toMatch(REFUSED);
      const again = `insert into auth_sessions (session_id, user_id, provider, expires_at) values ($1, 'eve', 'demo', now())`;
      expect(await attack(pool(), [again, [id]])).toMatch(/duplicate key/);
    });
  });

  it.each([
    'auth_sessions',
    'provider_credentials',
    'auth_session_events',
    'browser_vms',
    'audit_log',
    'live_view_tickets',
    'session_answers',
  ])('cannot truncate %s', async (table) => {
    expect(await attack(pool(), [`truncate ${table} cascade`, []])).toMatch(REFUSED);
  });

  it('cannot delete a credential version, nor bring a revoked one back', async () => {
    const id = await sessions.complete(await sessions.awaitPerson());
    expect(await attack(pool(), ['delete from provider_credentials where credential_id = $1', [id]])).toMatch(REFUSED);
    await pool().query(
      'update provider_credentials set encrypted_data = null, revoked_at = now() where credential_id = $1',
      [id],
    );
    const back = `update provider_credentials set encrypted_data = 'x', revoked_at = null where credential_id = $1`;
    expect(await attack(pool(), [back, [id]])).toMatch(/stays revoked/);
  });

  it('cannot give a credential to another user', async () => {
    const id = await sessions.complete(await sessions.awaitPerson());
    expect(
      await attack(pool(), [`update provider_credentials set user_id = 'eve' where credential_id = $1`, [id]]),
    ).toMatch(REFUSED);
  });

  it('cannot open a second active session for a user and provider', async () => {
    const userId = randomUUID();
    await sessions.begin(userId);
    const second = `insert into auth_sessions (user_id, provider, expires_at) values ($1, 'demo', now())`;
    expect(await attack(pool(), [second, [userId]])).toMatch(/auth_sessions_one_active/);
  });

  it('cannot begin a session anywhere but at the beginning, nor move one backwards', async () => {
    const born = `insert into auth_sessions (user_id, provider, expires_at, status, ended_at, error_code, error_message)
      values (gen_random_uuid(), 'demo', now(), 'failed', now(), 'x', 'y')`;
    expect(await attack(pool(), [born, []])).toMatch(/begins as started/);
    const { sessionId } = await sessions.awaitPerson();
    expect(
      await attack(pool(), [`update auth_sessions set status = 'started' where session_id = $1`, [sessionId]]),
    ).toMatch(/does not move/);
  });

  it('cannot rewrite or delete an event', async () => {
    const id = await sessions.endAs('completed');
    expect(await attack(pool(), [`update auth_session_events set data = '{}' where session_id = $1`, [id]])).toMatch(
      REFUSED,
    );
    expect(await attack(pool(), ['delete from auth_session_events where session_id = $1', [id]])).toMatch(REFUSED);
  });

  it('cannot rewrite how a VM ended', async () => {
    const { vmId } = await sessions.awaitPerson();
    await sessions.vms.recordExit(vmId, {
      exitCode: 1,
      signal: null,
      reason: 'exited with code 1',
      at: new Date().toISOString(),
    });
    expect(await attack(pool(), ['update browser_vms set exit_code = 0 where vm_id = $1', [vmId]])).toMatch(
      /does not change/,
    );
  });
});

const TICKET = `insert into live_view_tickets (ticket_sha256, session_id, expires_at)
  values (sha256(gen_random_uuid()::text::bytea), $1, now() + make_interval(secs => $2)) returning ticket_sha256`;
const ANSWER = `insert into session_answers (answer_id, session_id, sealed_text, key_id, expires_at)
  values ($2, $1, 'sealed', '${TEST_KEY}', now() + interval '5 s')`;

describe.each(['the product’s role', 'the owner'])('%s, on what several controllers share,', (role) => {
  const pool = (): Pool => (role === 'the owner' ? database.ownerPool : database.appPool);

  async function issue(seconds = 60): Promise<Buffer> {
    const { sessionId } = await sessions.awaitPerson();
    const { rows } = await pool().query<{ ticket_sha256: Buffer }>(TICKET, [sessionId, seconds]);
    return rows[0]!.ticket_sha256;
  }
  const onTicket = (change: string, ticket: Buffer): Promise<string> =>
    attack(pool(), [`update live_view_tickets set ${change} where ticket_sha256 = $1`, [ticket]]);

  it('cannot take a ticket twice, nor give a taken one back (I8)', async () => {
    const ticket = await issue();
    await pool().query('update live_view_tickets set taken_at = now() where ticket_sha256 = $1', [ticket]);
    for (const change of ['taken_at = clock_timestamp()', 'taken_at = null'])
      expect(await onTicket(change, ticket)).toMatch(/being taken once|permission denied/);
  });

  it('cannot turn a ticket to another session, keep it longer, or issue one for longer than a minute', async () => {
    const other = await sessions.begin();
    const ticket = await issue();
    for (const change of [
      `session_id = '${other}'`,
      `expires_at = expires_at + interval '1 s'`,
      `for_host = null, issued_at = now()`,
    ])
      expect(await onTicket(change, ticket)).toMatch(/being taken once|permission denied/);
    expect(await attack(pool(), [TICKET, [other, 61]])).toMatch(/ticket_lives_a_minute/);
  });

  it('cannot keep the ticket itself in place of its hash', async () => {
    const plain = `insert into live_view_tickets (ticket_sha256, session_id, expires_at) values ('ticket', $1, now())`;
    expect(await attack(pool(), [plain, [await sessions.begin()]])).toMatch(REFUSED);
  });

  it('cannot delete a ticket before its time is over', async () => {
    const remove = 'delete from live_view_tickets where ticket_sha256 = $1';
    expect(await attack(pool(), [remove, [await issue()]])).toMatch(/only after its time/);
    await expect(attack(pool(), [remove, [await issue(-1)]])).rejects.toThrow('the database took it');
  });

  async function record(): Promise<string> {
    const { sessionId } = await sessions.awaitPerson();
    const answerId = randomUUID();
    await pool().query(ANSWER, [sessionId, answerId]);
    return answerId;
  }
  const onAnswer = (change: string, answerId: string): Promise<string> =>
    attack(pool(), [`update session_answers set ${change} where answer_id = $1`, [answerId]]);

  it('cannot bring an erased answer back, nor deliver one twice (I7)', async () => {
    const answerId = await record();
    await pool().query(
      'update session_answers set sealed_text = null, erased_at = now(), delivered_at = now() where answer_id = $1',
      [answerId],
    );
    for (const change of [
      `sealed_text = 'again', erased_at = null, delivered_at = null`,
      'delivered_at = clock_timestamp()',
    ])
      expect(await onAnswer(change, answerId)).toMatch(/each once|permission denied/);
  });

  it('cannot mark an answer delivered and keep its text, or erase it without a date', async () => {
    const answerId = await record();
    expect(await onAnswer('delivered_at = now()', answerId)).toMatch(/delivered_is_erased/);
    expect(await onAnswer('sealed_text = null', answerId)).toMatch(/erased_is_dated/);
  });

  it('cannot change the text, session or time of an answer, nor delete it', async () => {
    const answerId = await record();
    const other = await sessions.begin();
    for (const change of [`sealed_text = 'other'`, `session_id = '${other}'`, `expires_at = now() + interval '9 s'`])
      expect(await onAnswer(change, answerId)).toMatch(/each once|permission denied/);
    expect(await attack(pool(), ['delete from session_answers where answer_id = $1', [answerId]])).toMatch(REFUSED);
  });

  it.each(['creating', 'ready', 'claimed'])('cannot bring a lost VM back as %s', async (state) => {
    const { vmId } = await sessions.awaitPerson();
    await pool().query(`update browser_vms set state = 'lost' where vm_id = $1`, [vmId]);
    expect(await attack(pool(), ['update browser_vms set state = $2 where vm_id = $1', [vmId, state]])).toMatch(
      /can only be destroyed/,
    );
  });
});

describe('the product’s role', () => {
  it('owns no table and cannot switch a trigger off', async () => {
    const owned = await database.appPool.query('select from pg_tables where tableowner = current_user');
    expect(owned.rowCount).toBe(0);
    expect(await attack(database.appPool, ['alter table auth_sessions disable trigger all', []])).toMatch(
      /must be owner/,
    );
  });
});

describe('the owner', () => {
  it('could switch a trigger off, which no trigger can refuse: so the product never runs in that role', async () => {
    const client = await database.ownerPool.connect();
    try {
      await client.query('begin');
      await client.query('alter table auth_sessions disable trigger user');
      await client.query('rollback');
    } finally {
      client.release();
    }
    const { rows } = await database.appPool.query<{ current_user: string }>('select current_user');
    expect(rows[0]?.current_user).toBe('vestibule_app');
  });
});

describe('the words of the database', () => {
  it('allow exactly the moves of the session machine', async () => {
    for (const from of ACTIVE_STATUSES) {
      for (const to of ACTIVE_STATUSES) {
        const planned = Object.values(MACHINE[from]).includes(to);
        const { sessionId } = await sessions.awaitPerson();
        const client = await database.ownerPool.connect();
        try {
          await client.query('begin');
          await client.query('alter table auth_sessions disable trigger guard_session_update');
          await client.query('update auth_sessions set status = $2 where session_id = $1', [sessionId, from]);
          await client.query('alter table auth_sessions enable trigger guard_session_update');
          const moved = await client
            .query('update auth_sessions set status = $2 where session_id = $1', [sessionId, to])
            .then(
              () => true,
              () => false,
            );
          expect([from, to, moved]).toEqual([from, to, planned || from === to]);
        } finally {
          await client.query('rollback');
          client.release();
        }
      }
    }
  });

  it('are the statuses of the protocol', async () => {
    const { rows } = await database.ownerPool.query<{ definition: string }>(
      `select pg_get_constraintdef(oid) as definition from pg_constraint where conname = 'auth_sessions_status_check'`,
    );
    const words = [...(rows[0]?.definition ?? '').matchAll(/'([a-z_]+)'::text/g)].map((match) => match[1]);
    expect(new Set(words)).toEqual(new Set(STATUSES));
  });
});
