import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { migrate } from './migrate.ts';
import { createTestDatabase } from './testing.ts';
import type { TestDatabase } from './testing.ts';

const log = createLogger({ level: 'silent' }).logger;
const FIRST = { '0001_first.sql': 'create table first (id int);' };

async function createEmpty(): Promise<TestDatabase> {
  const database = await createTestDatabase({ empty: true });
  onTestFinished(() => database.close());
  return database;
}

async function createFolder(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

test('each migration is applied once, in order, and recorded', async () => {
  const { ownerPool: pool } = await createEmpty();
  expect(await migrate({ pool, log, folder: await createFolder(FIRST) })).toBe(1);
  const folder = await createFolder({ ...FIRST, '0002_second.sql': 'alter table first add column more int;' });
  expect(await migrate({ pool, log, folder })).toBe(1);
  expect(await migrate({ pool, log, folder })).toBe(0);
  const recorded = await pool.query(
    'select number, name, length(sha256) as size from schema_migrations order by number',
  );
  expect(recorded.rows).toEqual([
    { number: 1, name: 'first', size: 64 },
    { number: 2, name: 'second', size: 64 },
  ]);
});

test('of several starters at once one migrates, and all succeed', async () => {
  const { ownerPool: pool } = await createEmpty();
  const folder = await createFolder(FIRST);
  const applied = await Promise.all(Array.from({ length: 6 }, () => migrate({ pool, log, folder })));
  expect(applied.filter((count) => count === 1)).toHaveLength(1);
  expect(applied.filter((count) => count === 0)).toHaveLength(5);
});

test('a migration that fails half-way leaves nothing behind, and the ones before it stay', async () => {
  const { ownerPool: pool } = await createEmpty();
  const folder = await createFolder({ ...FIRST, '0002_broken.sql': 'create table half (id int); select 1 / 0;' });
  await expect(migrate({ pool, log, folder })).rejects.toThrow('The migration broken failed: division by zero');
  const tables = await pool.query(
    `select to_regclass('half') as half, to_regclass('first')::text as first, (select count(*)::int from schema_migrations)`,
  );
  expect(tables.rows).toEqual([{ half: null, first: 'first', count: 1 }]);
});

test('a migration that was changed after it was applied is refused', async () => {
  const { ownerPool: pool } = await createEmpty();
  await migrate({ pool, log, folder: await createFolder(FIRST) });
  const changed = await createFolder({ '0001_first.sql': 'create table first (id bigint);' });
  await expect(migrate({ pool, log, folder: changed })).rejects.toThrow('0001_first was changed after it was applied');
});

test('a database of a newer release is refused', async () => {
  const { ownerPool: pool } = await createEmpty();
  await migrate({ pool, log, folder: await createFolder({ ...FIRST, '0002_later.sql': 'select 1;' }) });
  const older = await createFolder(FIRST);
  await expect(migrate({ pool, log, folder: older })).rejects.toThrow('0002_later, which this release does not know');
});

test("attack: the product's role, which owns nothing, migrates", async () => {
  const { appPool } = await createEmpty();
  await expect(migrate({ pool: appPool, log, folder: await createFolder(FIRST) })).rejects.toThrow(
    'permission denied for schema public',
  );
});
