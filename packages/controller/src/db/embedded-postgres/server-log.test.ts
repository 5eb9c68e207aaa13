import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { boundServerLog, openServerLog, readServerLog } from './server-log.ts';

async function createPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'server.log');
}

test('a log that has grown too large is emptied under its writer, who goes on at its start', async () => {
  const path = await createPath();
  const writer = await openServerLog(path);
  onTestFinished(() => writer.close());
  await writer.write('x'.repeat(200));
  await boundServerLog(path, 100);
  await writer.write('after');
  expect(await readFile(path, 'utf8')).toBe('after');
  expect((await stat(`${path}.1`)).size).toBe(200);
});

test('a log within its bound is left alone, and one that does not exist is no error', async () => {
  const path = await createPath();
  await boundServerLog(path, 100);
  await writeFile(path, 'short');
  await boundServerLog(path, 100);
  expect(await readFile(path, 'utf8')).toBe('short');
});

test('of two servers that write at once, the lines of the one asked for are returned', async () => {
  const path = await createPath();
  await writeFile(path, 'old [7] line\nnew [7] line\nnew [8] line\n');
  expect(await readServerLog(path, 13, 7)).toBe('new [7] line');
  expect(await readServerLog(path, 13, 9)).toContain('new [8] line');
});
