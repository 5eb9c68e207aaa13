/** A database of its own for each test file, cloned from the migrated template of the run's cluster. */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from 'pg';
import { inject } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import type { SocketConfig } from './connection-config.ts';
import { createPool } from './database.ts';
import { MIGRATED_TEMPLATE, createDatabase, dropDatabase, toTestConfig } from './testing-cluster.ts';
import type { TestServer } from './testing-cluster.ts';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- declaration merging needs an interface
  export interface ProvidedContext {
    testServer: TestServer;
  }
}

/** A connection takes a moment to leave the server's list after it was closed. */
const LEAVE_MS = 2_000;

export type TestDatabase = {
  name: string;
  owner: SocketConfig;
  app: SocketConfig;
  /** Owns every object, as migrations do. */
  ownerPool: Pool;
  /** What the product's stores are given. */
  appPool: Pool;
  /** Drops the database; fails when a client was not released or a connection not closed. */
  close(): Promise<void>;
};

function assertReleased(pool: Pool, label: string): void {
  const held = pool.totalCount - pool.idleCount;
  if (held > 0) throw new Error(`${held} clients of the ${label} pool were not released`);
}

/** Over a connection to another database, so that it does not count itself. */
async function assertClosed(pool: Pool, name: string): Promise<void> {
  const since = performance.now();
  for (;;) {
    const result = await pool.query<{ who: string }>(
      `select usename || ' (' || application_name || ')' as who from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
      [name],
    );
    if (result.rows.length === 0) return;
    if (performance.now() - since > LEAVE_MS) {
      throw new Error(`connections to ${name} were not closed: ${result.rows.map((row) => row.who).join(', ')}`);
    }
    await wait(10);
  }
}

/** Give `{ empty: true }` for a database without any table. Call `close` in `afterAll`. */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = inject('testServer');
  const { logger: log } = createLogger({ level: 'silent' });
  const name = `test_${randomBytes(6).toString('hex')}`;
  await createDatabase(server, name, options.empty === true ? 'template0' : MIGRATED_TEMPLATE);
  const owner = toTestConfig(server, 'owner', name);
  const app = toTestConfig(server, 'app', name);
  const ownerPool = createPool({ config: owner, log });
  const appPool = createPool({ config: app, log });
  return {
    name,
    owner,
    app,
    ownerPool,
    appPool,
    async close() {
      assertReleased(ownerPool, 'owner');
      assertReleased(appPool, 'app');
      await Promise.all([ownerPool.end(), appPool.end()]);
      const watcher = createPool({ config: toTestConfig(server, 'owner', 'vestibule'), log, maxConnections: 1 });
      try {
        await assertClosed(watcher, name);
      } finally {
        await watcher.end();
      }
      await dropDatabase(server, name);
    },
  };
}
