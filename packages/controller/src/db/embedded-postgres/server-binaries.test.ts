import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readlink, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { findServerPackage, installServer } from './server-binaries.ts';

const run = promisify(execFile);

async function createFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test('the copy runs', async () => {
  const folder = await createFolder();
  const { postgres } = await installServer(await findServerPackage(), folder);
  expect((await run(postgres, ['--version'])).stdout).toMatch(/^postgres \(PostgreSQL\) 18\./);
});

test.skipIf(process.platform !== 'linux')('the library links that no install script made are there', async () => {
  const { postgres } = await installServer(await findServerPackage(), await createFolder());
  expect(await readlink(join(postgres, '..', '..', 'lib', 'libpq.so.5'))).toMatch(/^libpq\.so\.5\./);
});

test('a copy that lost the content of a file, as after a power cut, is made anew', async () => {
  const folder = await createFolder();
  const serverPackage = await findServerPackage();
  const { initdb } = await installServer(serverPackage, folder);
  const { size } = await stat(initdb);
  await truncate(initdb);
  await installServer(serverPackage, folder);
  expect((await stat(initdb)).size).toBe(size);
});

test('two installs at once leave one whole copy and nothing else; copies of other versions go', async () => {
  const folder = await createFolder();
  const serverPackage = await findServerPackage();
  await mkdir(join(folder, 'server-1.0.0'));
  await Promise.all([installServer(serverPackage, folder), installServer(serverPackage, folder)]);
  expect(await readdir(folder)).toEqual([`server-${serverPackage.version}`]);
});
