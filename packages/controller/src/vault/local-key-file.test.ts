import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadLocalKeyFile } from './local-key-file.ts';

const isRoot = process.getuid?.() === 0;

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function createKey(): Promise<string> {
  const path = join(await createFolder(), 'master-key');
  await loadLocalKeyFile(path, true);
  return path;
}

describe('the first start', () => {
  test('makes a key that only its owner can read, and later starts read the same', async () => {
    const path = join(await createFolder(), 'master-key');
    const made = await loadLocalKeyFile(path, true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toMatch(/^vestibule-master-key-v1:[\w-]{43}\n$/);
    const read = await loadLocalKeyFile(path, false);
    expect(read.reveal()).toEqual(made.reveal());
    expect(made.reveal()).toHaveLength(32);
  });

  test('of two at once makes one key for both, and leaves nothing else', async () => {
    const folder = await createFolder();
    const path = join(folder, 'master-key');
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadLocalKeyFile(path, true)));
    expect(new Set(keys.map((key) => key.reveal().toString('hex'))).size).toBe(1);
    expect(await readdir(folder)).toEqual(['master-key']);
  });

  test('in a folder that does not exist says so', async () => {
    const path = join(await createFolder(), 'missing', 'master-key');
    await expect(loadLocalKeyFile(path, true)).rejects.toMatchObject({ code: 'not_written' });
  });
});

describe('a key that may not be made', () => {
  test('is missing, in words, and is not made', async () => {
    const folder = await createFolder();
    await expect(loadLocalKeyFile(join(folder, 'master-key'), false)).rejects.toMatchObject({
      code: 'missing',
      message: expect.stringContaining('Restore the file from your backup') as string,
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a file is refused', () => {
  test.each([0o640, 0o604, 0o620, 0o644, 0o601])('when its mode lets others in: %o', async (mode) => {
    const path = await createKey();
    await chmod(path, mode);
    await expect(loadLocalKeyFile(path, true)).rejects.toMatchObject({
      code: 'readable_by_others',
      message: expect.stringContaining(`chmod 600 '${path}'`) as string,
    });
  });

  test.skipIf(!isRoot)('when it belongs to another user', async () => {
    const path = await createKey();
    await chown(path, 65_534, 65_534);
    await expect(loadLocalKeyFile(path, true)).rejects.toMatchObject({ code: 'foreign_owner' });
  });

  test.each([
    ['is empty', ''],
    ['is something else', 'canary-of-another-file\n'],
    ['has a shorter key', `vestibule-master-key-v1:${'A'.repeat(42)}\n`],
    ['has a longer key', `vestibule-master-key-v1:${'A'.repeat(44)}\n`],
    ['has a later version', `vestibule-master-key-v2:${'A'.repeat(43)}\n`],
    ['goes on after the key', `vestibule-master-key-v1:${'A'.repeat(43)}\nmore\n`],
    ['is huge', 'A'.repeat(1_000_000)],
  ])('when it %s, without being quoted or overwritten', async (_name, text) => {
    const path = join(await createFolder(), 'master-key');
    await writeFile(path, text, { mode: 0o600 });
    const error: unknown = await loadLocalKeyFile(path, true).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'wrong_format' });
    expect(inspect(error)).not.toMatch(/canary|AAAA/);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  test('when it is a folder', async () => {
    const path = join(await createFolder(), 'master-key');
    await mkdir(path, { mode: 0o700 });
    await expect(loadLocalKeyFile(path, true)).rejects.toMatchObject({ code: 'not_a_file' });
  });

  test('when it is a link that goes nowhere, which is not followed to make a key elsewhere', async () => {
    const folder = await createFolder();
    const path = join(folder, 'master-key');
    await symlink(join(folder, 'elsewhere'), path);
    await expect(loadLocalKeyFile(path, true)).rejects.toMatchObject({ code: 'missing' });
    expect(await readdir(folder)).toEqual(['master-key']);
  });
});

test('a key that is printed shows nothing', async () => {
  const key = await loadLocalKeyFile(await createKey(), false);
  expect(`${inspect(key)}${JSON.stringify(key)}${String(key)}`).toBe('[secret]"[secret]"[secret]');
});
