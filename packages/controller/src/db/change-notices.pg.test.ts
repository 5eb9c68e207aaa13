import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../telemetry/logger.ts';
import { createChangeNotices } from './change-notices.ts';
import { createTestDatabase, type TestDatabase } from './testing.ts';

const PATIENCE = { timeout: 10_000, interval: 10 };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function startNotices(): Promise<{ heard: string[]; notices: ReturnType<typeof createChangeNotices> }> {
  const heard: string[] = [];
  const { logger: log } = createLogger({ level: 'silent' });
  const notices = createChangeNotices({ pool: database.appPool, onChange: (id) => void heard.push(id), log });
  await notices.start();
  return { heard, notices };
}

describe('change notices', () => {
  it('tell another controller of many changes, and not the one that made them', async () => {
    const [one, other] = [await startNotices(), await startNotices()];
    const ids = Array.from({ length: 450 }, (_, index) => `session-${index}`);
    for (const id of ids) one.notices.publish(id);
    await expect.poll(() => other.heard.length, PATIENCE).toBe(ids.length);
    expect(new Set(other.heard)).toEqual(new Set(ids));
    expect(one.heard).toEqual([]);
    for (const { notices } of [one, other]) await notices.close();
  });

  it('are heard again after the listening connection was cut', async () => {
    const [one, other] = [await startNotices(), await startNotices()];
    await database.ownerPool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen %' and pid <> pg_backend_pid()`,
    );
    await expect
      .poll(() => {
        one.notices.publish('after-the-cut');
        return other.heard.length;
      }, PATIENCE)
      .toBeGreaterThan(0);
    for (const { notices } of [one, other]) await notices.close();
  });

  it('do not wait behind the queries of a busy pool', async () => {
    const [one, other] = [await startNotices(), await startNotices()];
    const { appPool: pool } = database;
    const held = await Promise.all(
      Array.from({ length: pool.options.max - pool.totalCount + pool.idleCount }, () => pool.connect()),
    );
    const waiting = pool.query('select 1');
    one.notices.publish('in-a-burst');
    await expect.poll(() => other.heard, PATIENCE).toEqual(['in-a-burst']);
    for (const client of held) client.release();
    await waiting;
    for (const { notices } of [one, other]) await notices.close();
  });
});
