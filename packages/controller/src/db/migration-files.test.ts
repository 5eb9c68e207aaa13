import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readMigrations } from './migration-files.ts';

async function createFolder(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

test('migrations come in the order of their numbers', async () => {
  const folder = await createFolder({ '0002_second.sql': 'b', '0001_first.sql': 'a', 'README.md': '' });
  expect((await readMigrations(folder)).map(({ number, name }) => [number, name])).toEqual([
    [1, 'first'],
    [2, 'second'],
  ]);
});

test('line ends of another system do not make another migration', async () => {
  const [unix] = await readMigrations(await createFolder({ '0001_a.sql': 'select 1;\nselect 2;\n' }));
  const [windows] = await readMigrations(await createFolder({ '0001_a.sql': 'select 1;\r\nselect 2;\r\n' }));
  expect(windows).toEqual(unix);
});

test.each([
  ['a gap', { '0001_a.sql': '', '0003_c.sql': '' }, 'should have the number 2'],
  ['a number given twice', { '0001_a.sql': '', '0001_b.sql': '' }, 'should have the number 2'],
  ['a name that is none', { '1-a.sql': '' }, 'is no migration'],
  ['an empty folder', {}, 'holds no migrations'],
])('%s is refused', async (_name, files, message) => {
  await expect(readMigrations(await createFolder(files))).rejects.toThrow(message);
});
