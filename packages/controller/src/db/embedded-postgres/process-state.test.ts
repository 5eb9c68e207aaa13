import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { readProcessState, readPs } from './process-state.ts';

test.each([
  ['the way of this system', readProcessState],
  ['ps', readPs],
])('by %s: our own process runs and is no PostgreSQL, and one that ended is missing', async (_name, read) => {
  expect(await read(process.pid)).toBe('other');
  const ended = spawn('true');
  await once(ended, 'exit');
  expect(await read(ended.pid ?? 0)).toBe('missing');
});

test.each([
  ['the way of this system', readProcessState],
  ['ps', readPs],
])('by %s: a process that ended and was not reaped is a zombie', async (_name, read) => {
  // The shell becomes a `sleep`, which never asks how its child ended.
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60']);
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  await expect.poll(() => read(Number(line.toString())), { timeout: 5_000, interval: 10 }).toBe('zombie');
});
