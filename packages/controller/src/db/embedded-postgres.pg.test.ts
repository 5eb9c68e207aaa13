/** The supervisor against real servers, real signals and real kills; each test has a data folder of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import type { SocketConfig } from './connection-config.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres } from './embedded-postgres.ts';
import { toClusterFolder } from './embedded-postgres/cluster-folder.ts';
import { readPostmasterFile } from './embedded-postgres/postmaster-file.ts';
import { readProcessState } from './embedded-postgres/process-state.ts';
import { createTestFolder } from './testing-folder.ts';
import { runStarter } from './testing-process.ts';
import type { Starter } from './testing-process.ts';

const silent = createLogger({ level: 'silent' }).logger;

async function start(dataDir: string, log = silent): Promise<EmbeddedPostgres> {
  const cluster = await startEmbeddedPostgres({ dataDir, log });
  onTestFinished(() => cluster.stop());
  return cluster;
}

async function startElsewhere(dataDir: string): Promise<Starter> {
  const starter = await runStarter(dataDir);
  onTestFinished(() => starter.kill());
  return starter;
}

async function ask(config: SocketConfig, text: string): Promise<unknown> {
  const client = new pg.Client({ ...config });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const result = await client.query<{ answer: unknown }>(`select (${text}) as answer`);
    return result.rows[0]?.answer;
  } finally {
    await client.end();
  }
}

async function findPid(dataDir: string): Promise<number> {
  const file = await readPostmasterFile(toClusterFolder(dataDir).data);
  if (file === null) throw new Error('no server runs');
  return file.pid;
}

/** A log that calls back with each message. */
function listen(onMessage: (message: string) => void): typeof silent {
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      onMessage((JSON.parse(chunk.toString()) as { msg: string }).msg);
      done();
    },
  });
  return createLogger({ level: 'info', destination, readable: false }).logger;
}

describe('starting', () => {
  test('a first start makes a cluster in which the product owns nothing and no superuser can log in', async () => {
    const cluster = await start(await createTestFolder());
    expect(cluster.adopted).toBe(false);
    expect(
      await ask(
        cluster.app,
        `select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = current_user`,
      ),
    ).toBe(false);
    expect(
      await ask(
        cluster.owner,
        `select rolsuper or rolcreatedb or rolcreaterole from pg_roles where rolname = current_user`,
      ),
    ).toBe(false);
    expect(
      await ask(
        cluster.app,
        `current_setting('data_checksums') || current_setting('synchronous_commit') || current_setting('listen_addresses')`,
      ),
    ).toBe('onon');
    await expect(ask({ ...cluster.app, user: 'vestibule_superuser' }, '1')).rejects.toThrow('no pg_hba.conf entry');
    await expect(ask(cluster.app, `pg_read_file('/etc/passwd')`)).rejects.toThrow('permission denied');
  });

  test('what was written is there after a stop and a start', async () => {
    const dataDir = await createTestFolder();
    const first = await start(dataDir);
    const client = new pg.Client({ ...first.owner });
    await client.connect();
    await client.query('create table kept (value text)');
    await client.query(`insert into kept values ('still here')`);
    await client.end();
    await first.stop();
    const second = await start(dataDir);
    expect(second.adopted).toBe(false);
    expect(await ask(second.owner, 'select value from kept')).toBe('still here');
  });

  test('two processes that start one new folder at once get one server', async () => {
    const dataDir = await createTestFolder();
    const starters = await Promise.all([startElsewhere(dataDir), startElsewhere(dataDir)]);
    expect(new Set(starters.map(({ answer }) => answer.adopted))).toEqual(new Set([false, true]));
  });

  test('a data folder with a long name has its socket elsewhere, and a second start finds it', async () => {
    const dataDir = await createTestFolder('x'.repeat(120));
    const cluster = await start(dataDir);
    expect(cluster.app.host.startsWith(dataDir)).toBe(false);
    expect(await ask(cluster.app, '1')).toBe(1);
    expect((await start(dataDir)).app).toEqual(cluster.app);
  });
});

describe('a controller that dies', () => {
  test('kill -9 of the controller leaves the server running, and the next start adopts it', async () => {
    const dataDir = await createTestFolder();
    const starter = await startElsewhere(dataDir);
    const pid = await findPid(dataDir);
    await starter.kill();
    const next = await start(dataDir);
    expect(next.adopted).toBe(true);
    expect(await findPid(dataDir)).toBe(pid);
    expect(await ask(next.app, '1')).toBe(1);
  });

  test('Ctrl-C, which goes to the whole process group, does not reach the server', async () => {
    const dataDir = await createTestFolder();
    const starter = await startElsewhere(dataDir);
    const pid = await findPid(dataDir);
    process.kill(-(starter.process.pid ?? 0), 'SIGINT');
    await new Promise((resolve) => starter.process.once('exit', resolve));
    expect(await readProcessState(pid)).toBe('postgres');
    expect((await start(dataDir)).adopted).toBe(true);
  });

  test('a server that was killed and not yet reaped is waited for, and its postmaster.pid is left alone', async () => {
    const dataDir = await createTestFolder();
    const parent = await startElsewhere(dataDir);
    const pid = await findPid(dataDir);
    parent.process.kill('SIGSTOP');
    process.kill(pid, 'SIGKILL');
    let waited = '';
    const log = listen((message) => {
      if (!message.startsWith('waiting')) return;
      waited = message;
      void parent.kill();
    });
    const next = await start(dataDir, log);
    expect(waited).toContain('its parent process has not taken note of it');
    expect(next.adopted).toBe(false);
    expect(await ask(next.app, '1')).toBe(1);
  });
});

describe('a server that dies', () => {
  test('is started again while its controller runs', async () => {
    const dataDir = await createTestFolder();
    let isBack: () => void = () => undefined;
    const back = new Promise<void>((resolve) => (isBack = resolve));
    const cluster = await start(
      dataDir,
      listen((message) => message === 'the database server runs again' && isBack()),
    );
    process.kill(await findPid(dataDir), 'SIGKILL');
    await back;
    expect(await ask(cluster.app, '1')).toBe(1);
  });
});

describe('stopping', () => {
  test('stop returns when the server is gone, leaves no postmaster.pid, and may be repeated', async () => {
    const dataDir = await createTestFolder();
    const cluster = await start(dataDir);
    const pid = await findPid(dataDir);
    await cluster.stop();
    await cluster.stop();
    expect(await readProcessState(pid)).not.toBe('postgres');
    expect(await readPostmasterFile(toClusterFolder(dataDir).data)).toBeNull();
  });

  test('a start in the moment of a stop gives a working server', async () => {
    const dataDir = await createTestFolder();
    const first = await start(dataDir);
    const stopping = first.stop();
    const second = await start(dataDir);
    await stopping;
    await expect.poll(() => ask(second.app, '1').catch(() => 'not yet'), { timeout: 10_000 }).toBe(1);
  });

  test('a controller that stops leaves the server to another one that uses it', async () => {
    const dataDir = await createTestFolder();
    const first = await start(dataDir);
    const second = await startElsewhere(dataDir);
    await first.stop();
    expect(await ask(first.app, '1')).toBe(1);
    await second.end();
    expect(await readPostmasterFile(toClusterFolder(dataDir).data)).toBeNull();
  });
});

describe('refusing, in words', () => {
  test('a folder made by another major version', async () => {
    const dataDir = await createTestFolder();
    await (await start(dataDir)).stop();
    await writeFile(join(toClusterFolder(dataDir).data, 'PG_VERSION'), '16\n');
    await expect(start(dataDir)).rejects.toMatchObject({
      code: 'version_mismatch',
      message: expect.stringMatching(/made by PostgreSQL 16, and this Vestibule brings PostgreSQL 18/) as string,
    });
  });

  test('a data folder below a file', async () => {
    const file = join(await createTestFolder(), 'file');
    await writeFile(file, '');
    await expect(start(join(file, 'data'))).rejects.toMatchObject({ code: 'folder_not_writable' });
  });
});
