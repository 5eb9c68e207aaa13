/**
 * The one PostgreSQL of a run: the embedded server, as durable as the product's own, whose postmaster is started again whenever it dies.
 * `kill` ends it with SIGKILL; the fault is over when a new connection is served again.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { toClusterFolder } from '../packages/controller/src/db/embedded-postgres/cluster-folder.ts';
import { readPostmasterFile } from '../packages/controller/src/db/embedded-postgres/postmaster-file.ts';
import { startEmbeddedPostgres } from '../packages/controller/src/db/embedded-postgres.ts';
import { createLogger } from '../packages/controller/src/telemetry/logger.ts';
import type { Journal } from './journal.ts';

const LOOK_AGAIN_MS = 50;

export type Database = {
  /** The server's own socket. */
  socketPath: string;
  /** For `DATABASE_URL`, through whatever listens in that folder. */
  toUrl(socketFolder: string): string;
  /** Past all proxies, for the run's own eyes. Queries fail while the server is away. */
  pool: pg.Pool;
  isUp(): boolean;
  /** False when it is down already. */
  kill(): Promise<boolean>;
  /** Resolves when it serves. */
  up(): Promise<void>;
  /** The postmaster's pid; its children name no folder. */
  listProcesses(): Promise<number[]>;
  stop(): Promise<void>;
};

async function canServe(options: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...options, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

export async function startDatabase(dataDir: string, journal: Journal): Promise<Database> {
  const { logger: log } = createLogger({ level: 'silent' });
  // As the owner of a database who lets the product take on its role: one login, as behind `DATABASE_URL`.
  const cluster = await startEmbeddedPostgres({
    dataDir,
    log,
    settings: { max_connections: '60' },
    ownerCreatesDatabases: true,
  });
  const { owner } = cluster;
  const pool = new pg.Pool({ ...owner, max: 4 });
  pool.on('error', () => undefined);
  let recovery: Promise<void> | null = null;

  async function awaitServing(end: () => void): Promise<void> {
    while (!(await canServe({ ...owner }))) await delay(LOOK_AGAIN_MS);
    end();
    recovery = null;
  }
  return {
    socketPath: join(owner.host, `.s.PGSQL.${owner.port}`),
    toUrl: (folder) =>
      `postgresql://${owner.user}@localhost:${owner.port}/${owner.database}?host=${encodeURIComponent(folder)}`,
    pool,
    isUp: () => recovery === null,
    async kill() {
      const file = recovery === null ? await readPostmasterFile(toClusterFolder(dataDir).data) : null;
      if (file === null || recovery !== null) return false;
      const end = journal.begin('postmaster_killed', 'database', `pid ${file.pid}`);
      process.kill(file.pid, 'SIGKILL');
      recovery = awaitServing(end);
      return true;
    },
    up: () => recovery ?? Promise.resolve(),
    async listProcesses() {
      const file = await readPostmasterFile(toClusterFolder(dataDir).data);
      return file === null ? [] : [file.pid];
    },
    async stop() {
      await pool.end();
      await cluster.stop();
    },
  };
}
