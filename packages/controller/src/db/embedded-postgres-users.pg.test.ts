/** Who may run the embedded PostgreSQL and who may not reach it. Root only: other users have to be become. */
import { execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { createPool } from './database.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { toClusterFolder } from './embedded-postgres/cluster-folder.ts';
import { createTestFolder } from './testing-folder.ts';
import { runStarter } from './testing-process.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) {
  if ((process.env['REQUIRE'] ?? '').split(',').includes('root'))
    throw new Error('REQUIRE lists root, but the tests do not run as root');
  console.log('skipped: embedded-postgres-users.pg.test.ts becomes other users; run it as root');
}

const run = promisify(execFile);
const log = createLogger({ level: 'silent' }).logger;
const NOBODY = 65_534;

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const cluster = await startEmbeddedPostgres({ dataDir, log });
  onTestFinished(() => cluster.stop());
  return cluster;
}

describe.skipIf(!isRoot)('users', () => {
  test('root runs the server as an unprivileged user of its own', async () => {
    const dataDir = await createTestFolder();
    await start(dataDir);
    const { uid } = await stat(toClusterFolder(dataDir).data);
    const { stdout } = await run('id', ['-un', String(uid)]);
    expect(stdout.trim()).toBe('vestibule-postgres');
  });

  test('an ordinary user runs the server as that user', async () => {
    const dataDir = await createTestFolder();
    await chown(dataDir, NOBODY, NOBODY);
    const starter = await runStarter(dataDir, NOBODY);
    onTestFinished(() => starter.kill());
    expect(starter.answer).toMatchObject({ adopted: false });
    expect((await stat(toClusterFolder(dataDir).data)).uid).toBe(NOBODY);
    await starter.end();
    await expect(start(dataDir)).rejects.toMatchObject({ code: 'foreign_owner' });
  });

  test("after a power cut, a program of another user that now has the old server's id does not hinder a start", async () => {
    const dataDir = await createTestFolder();
    await (await start(dataDir)).stop();
    const folder = toClusterFolder(dataDir);
    const stale = `${process.pid}\n${folder.data}\n1\n5432\n${folder.run}\n\n1 1\nready\n`;
    await writeFile(join(folder.data, 'postmaster.pid'), stale, { mode: 0o600 });
    const { uid, gid } = await stat(folder.data);
    await chown(join(folder.data, 'postmaster.pid'), uid, gid);
    expect((await start(dataDir)).adopted).toBe(false);
  });

  test("a program of the server's own user that has the old server's id is named, and postmaster.pid is left alone", async () => {
    const dataDir = await createTestFolder();
    await chown(dataDir, NOBODY, NOBODY);
    await (await runStarter(dataDir, NOBODY)).end();
    const folder = toClusterFolder(dataDir);
    const other = spawn('sleep', ['60'], { uid: NOBODY, gid: NOBODY });
    onTestFinished(() => void other.kill());
    const stale = `${other.pid}\n${folder.data}\n1\n5432\n${folder.run}\n\n1 1\nready\n`;
    await writeFile(join(folder.data, 'postmaster.pid'), stale, { mode: 0o600 });
    await chown(join(folder.data, 'postmaster.pid'), NOBODY, NOBODY);
    const starter = await runStarter(dataDir, NOBODY);
    expect(starter.answer).toMatchObject({ code: 'foreign_process' });
    await starter.end();
    expect(await readFile(join(folder.data, 'postmaster.pid'), 'utf8')).toBe(stale);
  });

  test('an ordinary user is told that the folder is not writable', async () => {
    const dataDir = await createTestFolder();
    await chmod(dataDir, 0o755);
    const starter = await runStarter(dataDir, NOBODY);
    expect(starter.answer).toMatchObject({ code: 'folder_not_writable' });
    await starter.end();
  });

  test('root is told which folder the server cannot enter', async () => {
    const closed = join(await createTestFolder(), 'closed');
    await mkdir(closed, { mode: 0o700 });
    await expect(start(join(closed, 'data'))).rejects.toMatchObject({
      code: 'folder_unreachable',
      message: expect.stringContaining(`cannot enter ${closed},`) as string,
    });
  });

  test('attack: another user of the machine opens the socket, or reads the database files', async () => {
    const dataDir = await createTestFolder();
    const { app } = await start(dataDir);
    const connect = `require('node:net').connect(${JSON.stringify(`${app.host}/.s.PGSQL.${app.port}`)})
      .on('connect', () => console.log('connected')).on('error', (error) => console.log(error.code))`;
    const asNobody = { uid: NOBODY, gid: NOBODY };
    expect((await run(process.execPath, ['-e', connect], asNobody)).stdout.trim()).toBe('EACCES');
    await expect(run('cat', [join(toClusterFolder(dataDir).data, 'PG_VERSION')], asNobody)).rejects.toThrow(
      'Permission denied',
    );
    await expect(run('cat', [toClusterFolder(dataDir).log], asNobody)).rejects.toThrow('Permission denied');
  });

  test('attack: another user who got into the folder logs in', async () => {
    const dataDir = await createTestFolder();
    const { app } = await start(dataDir);
    await chmod(app.host, 0o755);
    const connect = `new (require('pg').Client)(${JSON.stringify(app)}).connect().then(() => console.log('in'), (error) => console.log(error.message))`;
    const { stdout } = await run(process.execPath, ['-e', connect], { uid: NOBODY, gid: NOBODY });
    expect(stdout).toContain('Peer authentication failed');
  });

  test('a full disk is called a full disk', async () => {
    const dataDir = await createTestFolder();
    const isMounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=20m,mode=0755', 'tmpfs', dataDir]).then(
      () => true,
      () => false,
    );
    if (!isMounted) {
      if ((process.env['REQUIRE'] ?? '').split(',').includes('mount'))
        throw new Error('REQUIRE lists mount, but mounting failed');
      console.log('skipped: a full disk is made by mounting a small tmpfs, which this machine refuses');
      return;
    }
    onTestFinished(async () => {
      await run('umount', [dataDir]);
    });
    await expect(start(dataDir)).rejects.toMatchObject({ code: 'disk_full' });
  });

  test('attack: values of statements that fail are looked for in the server log', async () => {
    const dataDir = await createTestFolder();
    const { owner } = await start(dataDir);
    const pool = createPool({ config: owner, log });
    onTestFinished(() => pool.end());
    await pool.query('create table kept (id text primary key, size int check (size > 0))');
    await pool.query(`insert into kept values ('canary-1', 1)`);
    await expect(pool.query('insert into kept values ($1, 1)', ['canary-1'])).rejects.toThrow('duplicate key');
    await expect(pool.query('insert into kept values ($1, -1)', ['canary-2'])).rejects.toThrow('violates check');
    await expect(pool.query('select $1::int', ['canary-3'])).rejects.toThrow('invalid input');
    await expect(pool.query(`select 'canary-4' from nowhere`)).rejects.toThrow('does not exist');
    const said = await readFile(toClusterFolder(dataDir).log, 'utf8');
    expect(said).toContain('ready to accept connections');
    expect(said).not.toContain('canary');
  });
});
