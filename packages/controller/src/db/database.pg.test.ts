/** What callers see when the database refuses, is in conflict, or goes away at the worst moment. */
import pg from 'pg';
import type { Pool } from 'pg';
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import type { ConnectionConfig } from './connection-config.ts';
import { CommitUnknownError, DatabaseUnavailableError, RolledBackError, SerializationError } from './database-error.ts';
import { createPool, withTransaction } from './database.ts';
import { createTestDatabase } from './testing.ts';
import { startLossyProxy } from './testing-proxy.ts';

const log = createLogger({ level: 'silent' }).logger;
const database = await createTestDatabase({ empty: true });
const pool = database.ownerPool;
await pool.query('create table notes (id int primary key, follows int references notes deferrable initially deferred)');
afterAll(() => database.close());
beforeEach(async () => {
  await pool.query('truncate notes');
});

async function readIds(): Promise<number[]> {
  return (await pool.query<{ id: number }>('select id from notes order by id')).rows.map((row) => row.id);
}

function createOther(config: ConnectionConfig): Pool {
  const other = createPool({ config, log });
  onTestFinished(() => other.end());
  return other;
}

test('a transaction whose work succeeds is committed, and its result returned', async () => {
  const result = await withTransaction(pool, async (sql) => {
    await sql.query('insert into notes values (1)');
    return 'done';
  });
  expect(result).toBe('done');
  expect(await readIds()).toEqual([1]);
});

test('a transaction whose work throws is rolled back, and the error passes', async () => {
  const fault = new Error('a fault of the work');
  const failing = withTransaction(pool, async (sql) => {
    await sql.query('insert into notes values (1)');
    throw fault;
  });
  await expect(failing).rejects.toBe(fault);
  expect(await readIds()).toEqual([]);
});

test('work that overlooks a failed statement is not taken for committed', async () => {
  const failing = withTransaction(pool, async (sql) => {
    await sql.query('insert into notes values (1)');
    await sql.query('insert into notes values (1)').catch(() => undefined);
  });
  await expect(failing).rejects.toBeInstanceOf(RolledBackError);
  expect(await readIds()).toEqual([]);
});

test('a constraint that refuses at COMMIT is a refusal, not an unknown outcome', async () => {
  const failing = withTransaction(pool, (sql) => sql.query('insert into notes values (1, 2)'));
  await expect(failing).rejects.toMatchObject({ code: '23503' });
  await expect(failing).rejects.toBeInstanceOf(pg.DatabaseError);
});

test('a conflict with another transaction is one', async () => {
  await pool.query('insert into notes values (1)');
  const failing = withTransaction(pool, async (sql) => {
    await sql.query('set transaction isolation level repeatable read');
    await sql.query('select from notes');
    await pool.query('update notes set follows = 1');
    await sql.query('update notes set follows = null');
  });
  await expect(failing).rejects.toBeInstanceOf(SerializationError);
});

test.each([
  ['before the server heard of it', 'before_commit', []],
  ['before its answer came back', 'after_commit', [1]],
] as const)('a connection lost during COMMIT, %s, is unknown either way', async (_name, lostAt, present) => {
  const proxy = await startLossyProxy(database.owner, lostAt);
  const other = createOther(proxy.config);
  onTestFinished(() => proxy.stop());
  const failing = withTransaction(other, (sql) => sql.query('insert into notes values (1)'));
  await expect(failing).rejects.toBeInstanceOf(CommitUnknownError);
  expect(await readIds()).toEqual(present);
});

test('a database that is not there is unavailable, for a statement and for a transaction', async () => {
  const other = createOther({ ...database.owner, host: '/nowhere' });
  await expect(other.query('select 1')).rejects.toBeInstanceOf(DatabaseUnavailableError);
  await expect(withTransaction(other, (sql) => sql.query('select 1'))).rejects.toBeInstanceOf(DatabaseUnavailableError);
});

async function readPid(other: Pick<Pool, 'query'>): Promise<number> {
  const [row] = (await other.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
  return row?.pid ?? 0;
}

test('an idle connection that the server ends harms nobody: the next statement takes another', async () => {
  const other = createOther(database.owner);
  const removed = new Promise<void>((resolve) => other.once('remove', () => resolve()));
  await pool.query('select pg_terminate_backend($1)', [await readPid(other)]);
  await removed;
  expect((await other.query<{ one: number }>('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a connection lost while its holder does something else ends the transaction, not the process', async () => {
  const failing = withTransaction(pool, async (sql) => {
    await sql.query('insert into notes values (1)');
    await pool.query('select pg_terminate_backend($1, 5000)', [await readPid(sql as Pool)]);
    await sql.query('insert into notes values (2)');
  });
  await expect(failing).rejects.toBeInstanceOf(DatabaseUnavailableError);
  expect(await readIds()).toEqual([]);
});
