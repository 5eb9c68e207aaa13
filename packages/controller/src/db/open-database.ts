/** From the settings to a pool that the stores can use: embedded or external, migrated, durable, in a role that owns nothing. */
import type { Secret } from '@vestibule/protocol/secret';
import type { Pool } from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import type { ConnectionConfig } from './connection-config.ts';
import { createPool } from './database.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { ensureAppRole, toExternalConfigs } from './external-postgres.ts';
import { migrate } from './migrate.ts';
import { assertDurable, assertUnprivileged } from './suitability.ts';

export type Database = {
  /** For everything the product does. */
  pool: Pool;
  /** Waits for running queries, then stops the embedded server unless another process uses it. */
  close(): Promise<void>;
};

export type OpenDatabaseOptions = {
  /** Null: the embedded PostgreSQL. */
  databaseUrl: Secret<string> | null;
  dataDir: string;
  log: Logger;
  maxConnections?: number;
};

/** The product's statements take milliseconds. */
const QUERY_MS = 20_000;

type Source = { owner: ConnectionConfig; app: ConnectionConfig; isExternal: boolean; stop(): Promise<void> };

async function openSource(options: OpenDatabaseOptions): Promise<Source> {
  if (options.databaseUrl === null) return { ...(await startEmbeddedPostgres(options)), isExternal: false };
  return { ...toExternalConfigs(options.databaseUrl), isExternal: true, stop: () => Promise.resolve() };
}

async function prepareSchema(source: Source, log: Logger): Promise<void> {
  const pool = createPool({ config: source.owner, log, maxConnections: 1 });
  try {
    if (source.isExternal) await ensureAppRole(pool);
    await migrate({ pool, log });
  } finally {
    await pool.end();
  }
}

/** @throws EmbeddedPostgresError, UnsuitableDatabaseError, MigrationError, DatabaseUnavailableError */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { log } = options;
  const source = await openSource(options);
  try {
    await prepareSchema(source, log);
    const pool = createPool({
      config: source.app,
      log,
      maxConnections: options.maxConnections ?? 10,
      queryTimeoutMs: QUERY_MS,
    });
    try {
      await assertDurable(pool);
      await assertUnprivileged(pool);
    } catch (error) {
      await pool.end();
      throw error;
    }
    return {
      pool,
      async close() {
        await pool.end();
        await source.stop();
      },
    };
  } catch (error) {
    await source.stop();
    throw error;
  }
}
