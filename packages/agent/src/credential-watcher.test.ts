import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { watchCredential } from './credential-watcher.ts';
import { createDeferred } from './deferred.ts';
import { createFolder, writeInto } from './testing-folder.ts';

const PATH = '.config/tool/auth.json';
const SPECS = [{ path: PATH, format: 'json' as const, required: ['token'] }];
const SETTLE_MS = 100;

function watchFor(home: string) {
  const settled = createDeferred<number>();
  let times = 0;
  const onSettled = (): void => {
    times += 1;
    settled.resolve(performance.now());
  };
  const watcher = watchCredential({ home, specs: SPECS, settleMs: SETTLE_MS, onSettled });
  onTestFinished(watcher.close);
  return { settled: settled.promise, times: () => times };
}

test('notices a file whose folders are made after the watch began', async () => {
  const home = createFolder();
  const { settled } = watchFor(home);
  writeInto(home, PATH, '{"token":"t"}');
  await expect(settled).resolves.toBeGreaterThan(0);
});

test('notices a file that is moved into place', async () => {
  const home = createFolder();
  writeInto(home, `${PATH}.new`, '{"token":"t"}');
  const { settled } = watchFor(home);
  renameSync(join(home, `${PATH}.new`), join(home, PATH));
  await expect(settled).resolves.toBeGreaterThan(0);
});

test('notices a file in a folder that was removed and made again', async () => {
  const home = createFolder();
  writeInto(home, '.config/tool/other', '');
  const { settled } = watchFor(home);
  rmSync(join(home, '.config'), { recursive: true });
  writeInto(home, PATH, '{"token":"t"}');
  await expect(settled).resolves.toBeGreaterThan(0);
});

test('notices a file that was there from the beginning', async () => {
  const home = createFolder();
  writeInto(home, PATH, '{"token":"t"}');
  await expect(watchFor(home).settled).resolves.toBeGreaterThan(0);
});

test('waits until the content stays as it is', async () => {
  const home = createFolder();
  const { settled } = watchFor(home);
  let lastWrite = 0;
  for (let count = 0; count < 5; count += 1) {
    writeInto(home, PATH, JSON.stringify({ token: count }));
    lastWrite = performance.now();
    await delay(SETTLE_MS / 2);
  }
  expect((await settled) - lastWrite).toBeGreaterThanOrEqual(SETTLE_MS - 5);
});

test('stays silent about a file that is not complete, and tells once of one that is', async () => {
  const home = createFolder();
  const { settled, times } = watchFor(home);
  writeInto(home, PATH, '{"token":""}');
  await delay(SETTLE_MS * 2);
  expect(times()).toBe(0);
  writeInto(home, PATH, '{"token":"t"}');
  await settled;
  writeInto(home, PATH, '{"token":"u"}');
  await delay(SETTLE_MS * 2);
  expect(times()).toBe(1);
});
