import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withSetupLock } from './setup-lock.mjs';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vestibule-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A program that counts up in a file while it holds the lock; lost updates show that two held it at once. */
const COUNT_UP = `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { setTimeout } from 'node:timers/promises';
  import { withSetupLock } from ${JSON.stringify(new URL('setup-lock.mjs', import.meta.url).href)};
  const [dir] = process.argv.slice(1);
  const file = dir + '/count';
  await withSetupLock(dir, () => undefined, async () => {
    const count = Number(readFileSync(file, 'utf8'));
    await setTimeout(20);
    writeFileSync(file, String(count + 1));
  });`;

function countUp(): Promise<number | null> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', COUNT_UP, dir], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', resolve));
}

it('lets one process in at a time, also when the last holder was killed', async () => {
  const dead = spawnSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).stdout.trim();
  writeFileSync(join(dir, 'setup.lock'), `${dead} 1`);
  writeFileSync(join(dir, 'count'), '0');
  expect(await Promise.all([countUp(), countUp(), countUp(), countUp()])).toEqual([0, 0, 0, 0]);
  expect(readFileSync(join(dir, 'count'), 'utf8')).toBe('4');
  expect(existsSync(join(dir, 'setup.lock'))).toBe(false);
});

it('tells once whom it waits for', async () => {
  const told: string[] = [];
  const order: string[] = [];
  await withSetupLock(
    dir,
    () => undefined,
    async () => {
      const second = withSetupLock(
        dir,
        (pid) => {
          told.push(pid);
          order.push('told');
        },
        () => void order.push('second'),
      );
      await expect.poll(() => told).toEqual([String(process.pid)]);
      order.push('first ends');
      return { second };
    },
  ).then(({ second }) => second);
  expect(order).toEqual(['told', 'first ends', 'second']);
});

it('gives the lock back when the work fails', async () => {
  const failing = withSetupLock(
    dir,
    () => undefined,
    () => Promise.reject(new Error('no network')),
  );
  await expect(failing).rejects.toThrow('no network');
  expect(
    await withSetupLock(
      dir,
      () => undefined,
      () => 'in',
    ),
  ).toBe('in');
});

it('is not fooled by a process that has the dead holder’s number', async () => {
  writeFileSync(join(dir, 'setup.lock'), `${process.pid} 1`);
  expect(
    await withSetupLock(
      dir,
      () => undefined,
      () => 'in',
    ),
  ).toBe('in');
});
