/**
 * Brings a database's schema up to date, as the role that owns its objects. Safe when several controllers start at once: one
 * migrates, the others wait. Each migration is one transaction together with its record.
 */
import { fileURLToPath } from 'node:url';
import type { Pool, PoolClient } from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import { toDatabaseError } from './database-error.ts';
import { MigrationError, readMigrations } from './migration-files.ts';
import type { Migration } from './migration-files.ts';

/** Beside this file; the build copies the folder beside the bundle. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('./migrations', import.meta.url));

/** Any number, the same in every release. */
const LOCK = 7_080_001;

type Applied = { number: number; name: string; sha256: string };

async function readApplied(client: PoolClient): Promise<Applied[]> {
  await client.query(`create table if not exists public.schema_migrations (
    number integer primary key,
    name text not null,
    sha256 text not null,
    applied_at timestamptz not null default now()
  )`);
  const result = await client.query<Applied>(
    'select number, name, sha256 from public.schema_migrations order by number',
  );
  return result.rows;
}

function assertHistory(applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const row of applied) {
    const file = migrations[row.number - 1];
    const label = `${String(row.number).padStart(4, '0')}_${row.name}`;
    if (file === undefined) {
      throw new MigrationError(
        `The database has the migration ${label}, which this release does not know: start a newer Vestibule.`,
      );
    }
    if (file.name !== row.name || file.sha256 !== row.sha256) {
      throw new MigrationError(
        `The migration ${label} was changed after it was applied. Restore it, and write the change as a new migration.`,
      );
    }
  }
}

async function apply(client: PoolClient, migration: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query('set local search_path to public');
    await client.query(migration.sql);
    const values = [migration.number, migration.name, migration.sha256];
    await client.query('insert into public.schema_migrations (number, name, sha256) values ($1, $2, $3)', values);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw new MigrationError(`The migration ${migration.name} failed: ${(error as Error).message}`, error);
  }
}

/**
 * @param pool of the owner of the schema's objects
 * @returns how many migrations were applied
 * @throws MigrationError when one fails (it left nothing behind), or when files and database disagree about the past
 */
export async function migrate(deps: { pool: Pool; log: Pick<Logger, 'info'>; folder?: string }): Promise<number> {
  const migrations = await readMigrations(deps.folder ?? MIGRATIONS_DIR);
  const client = await deps.pool.connect().catch((error: unknown) => {
    throw toDatabaseError(error);
  });
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    const applied = await readApplied(client);
    assertHistory(applied, migrations);
    const pending = migrations.slice(applied.length);
    for (const migration of pending) {
      await apply(client, migration);
      deps.log.info({ number: migration.number, name: migration.name }, 'a migration was applied');
    }
    return pending.length;
  } catch (error) {
    throw toDatabaseError(error);
  } finally {
    const isUnlocked = await client.query('select pg_advisory_unlock($1)', [LOCK]).then(
      () => true,
      () => false,
    );
    client.release(!isUnlocked);
  }
}
