/** Pools and transactions. Whatever happens to a connection, the process lives on, and callers get an error of `database-error.ts`. */
import pg from 'pg';
import type { Pool, PoolClient, QueryConfig } from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import type { ConnectionConfig } from './connection-config.ts';
import { toClientConfig } from './connection-config.ts';
import { RolledBackError, toCommitError, toDatabaseError } from './database-error.ts';
import type { Sql } from './sql.ts';

const CONNECT_MS = 5_000;

export type PoolOptions = {
  config: ConnectionConfig;
  log: Pick<Logger, 'warn'>;
  maxConnections?: number;
  /** A query that takes longer fails: a database behind a silent network must not stall its callers. Default none. */
  queryTimeoutMs?: number;
};

/**
 * A pool whose `query` fails with the errors of `database-error.ts`. A statement outside a transaction whose connection is lost
 * fails with `DatabaseUnavailableError`, and may have been carried out: a caller that cares reads again.
 */
export function createPool(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    ...toClientConfig(options.config),
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'vestibule',
    ...(options.queryTimeoutMs === undefined ? {} : { query_timeout: options.queryTimeoutMs }),
  });
  pool.on('error', (error) => options.log.warn({ err: error }, 'an idle database connection was lost'));
  // Without a listener, a connection lost while its holder awaits something else would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const plainQuery = pool.query.bind(pool);
  const query = async (statement: string | QueryConfig, values?: unknown[]): Promise<unknown> => {
    try {
      return await plainQuery(statement, values);
    } catch (error) {
      throw toDatabaseError(error);
    }
  };
  return Object.assign(pool, { query });
}

async function commit(client: PoolClient): Promise<void> {
  const result = await client.query('commit').catch((error: unknown) => {
    throw toCommitError(error);
  });
  if (result.command !== 'COMMIT') throw new RolledBackError();
}

/**
 * Runs `work` in one transaction and resolves after it is committed.
 * @throws CommitUnknownError when nobody knows whether it is; any other error means that it is not.
 */
export async function withTransaction<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw toDatabaseError(error);
  });
  let isBroken = false;
  try {
    await client.query('begin');
    const result = await work(client);
    await commit(client);
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => (isBroken = true));
    throw toDatabaseError(error);
  } finally {
    client.release(isBroken);
  }
}
