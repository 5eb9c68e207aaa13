import { afterAll, expect, onTestFinished, test } from 'vitest';
import { diffSchema, dumpSchema } from './schema-dump.ts';
import { createTestDatabase } from './testing.ts';
import type { TestDatabase } from './testing.ts';

const one = await createTestDatabase();
afterAll(() => one.close());

async function createOther(): Promise<TestDatabase> {
  const other = await createTestDatabase();
  onTestFinished(() => other.close());
  return other;
}

test('the same migrations give the same text', async () => {
  const other = await createOther();
  expect(diffSchema(await dumpSchema(one.ownerPool), await dumpSchema(other.ownerPool))).toBeNull();
});

test.each([
  ['a column', 'alter table hosts add column more int', '+   more integer,'],
  [
    'a default',
    `alter table hosts alter column runtime set default 'x'`,
    `+   runtime text not null default 'x'::text,`,
  ],
  ['a constraint', 'alter table hosts add constraint named check (host_id <> $$$$)', '+   constraint named CHECK'],
  ['an index', 'create index more on hosts (runtime)', '+ CREATE INDEX more'],
  ['a trigger that is switched off', 'alter table auth_sessions disable trigger refuse_delete', '/* enabled: D */'],
  ['a grant', 'grant delete on hosts to vestibule_app', '+ -- vestibule_app: delete, insert'],
  [
    'a grant on one column',
    'grant update (name) on schema_migrations to vestibule_app',
    '+   name text not null /* vestibule_app: update */,',
  ],
  [
    'a function',
    'create function more() returns int language sql as $$ select 1 $$',
    '+ CREATE OR REPLACE FUNCTION public.more()',
  ],
  ['a sequence', 'create sequence more', '+ sequence more bigint start 1 increment 1'],
  ['a view', 'create view more as select 1 as n', '+ create view more as'],
  ['a type', `create type more as enum ('a', 'b')`, `+ type more: 'a', 'b'`],
])('%s shows', async (_name, statement, shown) => {
  const other = await createOther();
  await other.ownerPool.query(statement);
  expect(diffSchema(await dumpSchema(one.ownerPool), await dumpSchema(other.ownerPool))).toContain(shown);
});

test('another order of the same lines is a difference too', () => {
  expect(diffSchema('a\nb\n', 'b\na\n')).toBe('The same lines stand in another order.');
});
