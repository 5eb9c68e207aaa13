/** Opening the database as the controller does: embedded, and through a URL with logins of every kind. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@vestibule/protocol/secret';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { toClusterFolder } from './embedded-postgres/cluster-folder.ts';
import { readPostmasterFile } from './embedded-postgres/postmaster-file.ts';
import { openDatabase } from './open-database.ts';
import type { Database } from './open-database.ts';
import { createTestFolder, makeTestFolder } from './testing-folder.ts';

const log = createLogger({ level: 'silent' }).logger;

test('the embedded database is opened migrated, durable, and in a role that owns nothing; close stops it', async () => {
  const dataDir = await createTestFolder();
  const { pool, close } = await openDatabase({ databaseUrl: null, dataDir, log });
  const rows = await pool.query(
    `select current_user::text as role, (select count(*)::int from auth_sessions) as sessions`,
  );
  expect(rows.rows).toEqual([{ role: 'vestibule_app', sessions: 0 }]);
  await expect(pool.query('drop table auth_sessions')).rejects.toThrow('must be owner');
  await expect(pool.query('create table more (id int)')).rejects.toThrow('permission denied');
  await expect(pool.query('create temp table auth_sessions (id int)')).rejects.toThrow('permission denied');
  await close();
  expect(await readPostmasterFile(toClusterFolder(dataDir).data)).toBeNull();
});

test('a server that may forget what it confirmed is refused, and stopped again', async () => {
  const dataDir = await createTestFolder();
  const lax = await startEmbeddedPostgres({ dataDir, log, settings: { synchronous_commit: 'off', fsync: 'off' } });
  await expect(openDatabase({ databaseUrl: null, dataDir, log })).rejects.toThrow(
    'fsync and synchronous_commit are off',
  );
  await lax.stop();
});

describe('DATABASE_URL', () => {
  let cluster: EmbeddedPostgres;
  let superuser: pg.Client;
  let removeFolder: () => Promise<void>;

  async function connectSuperuser(): Promise<pg.Client> {
    const client = new pg.Client({ ...cluster.app, user: 'vestibule_superuser', database: 'postgres' });
    await client.connect();
    return client;
  }

  /** An ordinary server of an operator: everybody may log in, and the product's role does not exist. */
  beforeAll(async () => {
    const { dataDir, remove } = await makeTestFolder();
    removeFolder = remove;
    cluster = await startEmbeddedPostgres({ dataDir, log });
    const folder = toClusterFolder(dataDir);
    await writeFile(join(folder.config, 'pg_hba.conf'), 'local all all trust\n');
    process.kill((await readPostmasterFile(folder.data))?.pid ?? 0, 'SIGHUP');
    superuser = await vi.waitFor(connectSuperuser, { timeout: 10_000 });
    await superuser.query('alter role vestibule_app rename to operators_own');
  });
  afterAll(async () => {
    await superuser.query('alter role operators_own rename to vestibule_app');
    await superuser.end();
    await cluster.stop();
    await removeFolder();
  });

  /** A login with a database of its own; both, and the product's role, are gone after the test. */
  async function createLogin(attributes: string): Promise<Secret<string>> {
    await superuser.query(`create role platform login ${attributes}`);
    await superuser.query('create database platform owner platform');
    onTestFinished(async () => {
      await superuser.query('drop database platform with (force)');
      await superuser.query('drop role if exists vestibule_app');
      await superuser.query('drop role platform');
    });
    return new Secret(
      `postgres://platform@/platform?host=${encodeURIComponent(cluster.app.host)}&port=${cluster.app.port}`,
    );
  }

  async function open(databaseUrl: Secret<string>): Promise<Database> {
    const database = await openDatabase({ databaseUrl, dataDir: '/nowhere', log });
    onTestFinished(() => database.close());
    return database;
  }

  async function onPlatform(statement: string): Promise<void> {
    const client = new pg.Client({ ...cluster.app, user: 'vestibule_superuser', database: 'platform' });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }

  const ROLES =
    'select current_user::text as role, session_user::text as login, (select count(*)::int from auth_sessions) as sessions';

  test.each([
    ['may create roles', 'createrole'],
    ['is a superuser', 'superuser'],
  ])('a login that %s migrates, and the product runs in a role that owns nothing', async (_name, attributes) => {
    const url = await createLogin(attributes);
    const { pool } = await open(url);
    expect((await pool.query(ROLES)).rows).toEqual([{ role: 'vestibule_app', login: 'platform', sessions: 0 }]);
    await expect(pool.query('truncate auth_sessions')).rejects.toThrow('permission denied');
    const again = await open(url);
    expect((await again.pool.query(ROLES)).rows).toHaveLength(1);
  });

  test('a login that may not create roles suffices once an administrator has set the role up, and is told how', async () => {
    const url = await createLogin('');
    await expect(open(url)).rejects.toThrow('create role vestibule_app nologin');
    await superuser.query('create role vestibule_app nologin');
    await expect(open(url)).rejects.toThrow('grant vestibule_app to');
    await superuser.query('grant vestibule_app to platform');
    const { pool } = await open(url);
    expect((await pool.query(ROLES)).rows).toMatchObject([{ role: 'vestibule_app' }]);
  });

  test("attack: the product's role owns a table, or is a member of the role that does", async () => {
    const url = await createLogin('createrole');
    await (await openDatabase({ databaseUrl: url, dataDir: '/nowhere', log })).close();
    await onPlatform('alter table hosts owner to vestibule_app');
    await expect(open(url)).rejects.toThrow('vestibule_app, which owns hosts');
    await onPlatform('alter table hosts owner to platform');
    await onPlatform('alter function refuse_change() owner to vestibule_app');
    await expect(open(url)).rejects.toThrow('vestibule_app, which owns refuse_change');
  });

  test("attack: the product's role is a superuser", async () => {
    const url = await createLogin('superuser');
    await superuser.query('create role vestibule_app superuser');
    await expect(open(url)).rejects.toThrow('vestibule_app, which is a superuser');
  });

  test('a setting of the login that gives up durability is found', async () => {
    const url = await createLogin('createrole');
    await superuser.query('alter role platform set synchronous_commit to off');
    await expect(open(url)).rejects.toThrow('synchronous_commit is off');
  });

  test('a server that is not there is said to be unreachable, without the URL', async () => {
    const url = new Secret('postgres://platform:canary@/platform?host=/nowhere');
    await expect(open(url)).rejects.toMatchObject({
      code: 'not_ready',
      message: expect.not.stringContaining('canary') as string,
    });
  });
});
