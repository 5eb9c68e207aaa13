import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createNoticeStore } from './notice-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function countRows(): Promise<number> {
  const result = await database.appPool.query(`select from audit_log where action = 'provider_notice_accepted'`);
  return result.rows.length;
}

describe('acceptances of notices', () => {
  it('are rows of the audit log, which every controller sees at once', async () => {
    const [one, other] = [
      createNoticeStore({ pool: database.appPool }),
      createNoticeStore({ pool: database.ownerPool }),
    ];
    expect(await other.list()).toEqual([]);
    await one.accept('codex', { hash: 'abc', title: 'Read this' }, 'operator');
    expect(await other.list()).toMatchObject([{ provider: 'codex', hash: 'abc' }]);
    const { rows } = await database.appPool.query(
      `select actor, subject, data from audit_log where action = 'provider_notice_accepted'`,
    );
    expect(rows).toEqual([{ actor: 'operator', subject: 'codex', data: { hash: 'abc', title: 'Read this' } }]);
  });

  it('are written once, however often the same text is accepted, and once more for another text', async () => {
    const store = createNoticeStore({ pool: database.appPool });
    await Promise.all([1, 2, 3].map(() => store.accept('codex', { hash: 'abc', title: 'Read this' }, 'operator')));
    const before = await countRows();
    await store.accept('codex', { hash: 'abc', title: 'Read this' }, 'operator');
    expect(await countRows()).toBe(before);
    await store.accept('codex', { hash: 'def', title: 'Read this' }, 'operator');
    expect(await countRows()).toBe(before + 1);
  });
});
