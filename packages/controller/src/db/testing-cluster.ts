/** One embedded PostgreSQL for a run of tests or a script: in a temporary folder, with a migrated database to clone. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../telemetry/logger.ts';
import type { SocketConfig } from './connection-config.ts';
import { createPool } from './database.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { APP_ROLE, DATABASE, OWNER_ROLE } from './embedded-postgres/server-config.ts';
import { migrate } from './migrate.ts';

/** Where the cluster listens: plain data, so that vitest can pass it on to its workers. */
export type TestServer = { host: string; port: number };

export const MIGRATED_TEMPLATE = 'migrated_template';

/** As durable as the product's: a controller started on a test database would refuse it otherwise. */
const SETTINGS = { max_connections: '300' };

export function toTestConfig(server: TestServer, role: 'owner' | 'app', database: string): SocketConfig {
  return { ...server, user: role === 'owner' ? OWNER_ROLE : APP_ROLE, database };
}

async function withOwner<T>(
  server: TestServer,
  database: string,
  work: (pool: ReturnType<typeof createPool>) => Promise<T>,
): Promise<T> {
  const { logger: log } = createLogger({ level: 'silent' });
  const pool = createPool({ config: toTestConfig(server, 'owner', database), log, maxConnections: 1 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** @param name letters, digits and underscores. */
export function createDatabase(server: TestServer, name: string, template: string): Promise<void> {
  return withOwner(server, DATABASE, async (pool) => {
    await pool.query(`create database ${name} template ${template}`);
  });
}

export function dropDatabase(server: TestServer, name: string): Promise<void> {
  return withOwner(server, DATABASE, async (pool) => {
    await pool.query(`drop database ${name}`);
  });
}

/** Starts, migrates the template, runs `work`, and leaves nothing behind. */
export async function startTestCluster(): Promise<{ server: TestServer; stop(): Promise<void> }> {
  const { logger: log } = createLogger({ level: 'error' });
  const dataDir = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true });
  try {
    const cluster = await startEmbeddedPostgres({ dataDir, log, settings: SETTINGS, ownerCreatesDatabases: true });
    const { host, port } = cluster.owner;
    const server = { host, port };
    await createDatabase(server, MIGRATED_TEMPLATE, 'template0');
    await withOwner(server, MIGRATED_TEMPLATE, (pool) =>
      migrate({ pool, log: createLogger({ level: 'silent' }).logger }),
    );
    return {
      server,
      async stop() {
        await cluster.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
