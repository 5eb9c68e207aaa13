import { afterAll, expect, test } from 'vitest';
import { createTestDatabase } from './testing.ts';

const opened = await Promise.all([createTestDatabase(), createTestDatabase()]);
afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()));
});

test('each file has a migrated database of its own', async () => {
  const [first, second] = opened;
  await first?.ownerPool.query('create table only_here (id int)');
  const names = await second?.ownerPool.query(
    `select to_regclass('only_here') as other, to_regclass('auth_sessions')::text as migrated`,
  );
  expect(names?.rows).toEqual([{ other: null, migrated: 'auth_sessions' }]);
});

test('a client that was not released fails the test file', async () => {
  const database = await createTestDatabase();
  const client = await database.appPool.connect();
  await expect(database.close()).rejects.toThrow('1 clients of the app pool were not released');
  client.release();
  await database.close();
});
