import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createStageCache, toKey } from './stage-cache.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'vestibule-stages-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const make =
  (content: string) =>
  (at: string): Promise<void> =>
    Promise.resolve(writeFileSync(join(at, 'made'), content));
const read = ({ dir: at }: { dir: string }): string => readFileSync(join(at, 'made'), 'utf8');

it('has one key for equal inputs and another for each that differs', () => {
  const inputs = { suite: 'a', packages: { x: 1, y: 2 }, left: ['p', 'q'] };
  expect(toKey({ left: ['p', 'q'], packages: { y: 2, x: 1 }, suite: 'a' })).toBe(toKey(inputs));
  const others = [
    { ...inputs, suite: 'b' },
    { ...inputs, packages: { x: 1 } },
    { ...inputs, left: ['q', 'p'] },
  ];
  expect(new Set([inputs, ...others].map(toKey)).size).toBe(4);
});

it('makes a stage once for the same inputs, and anew for others or when told to', async () => {
  const cache = createStageCache(dir);
  const first = await cache.run('base', 1, make('one'));
  const second = await cache.run('base', 1, make('two'));
  expect([first.isCached, second.isCached, read(second)]).toEqual([false, true, 'one']);
  expect(read(await cache.run('base', 2, make('three')))).toBe('three');
  const anew = await cache.run('base', 1, make('four'), true);
  expect([anew.isCached, read(anew)]).toEqual([false, 'four']);
});

it('keeps nothing of a stage that failed, and the old one when it was to be made anew', async () => {
  const cache = createStageCache(dir);
  const fail = async (at: string): Promise<void> => {
    await make('half')(at);
    throw new Error('the disk is full');
  };
  await expect(cache.run('base', 1, fail)).rejects.toThrow('the disk is full');
  expect(readdirSync(dir)).toEqual([]);
  await cache.run('base', 1, make('whole'));
  await expect(cache.run('base', 1, fail, true)).rejects.toThrow('the disk is full');
  expect(read(await cache.run('base', 1, make('never')))).toBe('whole');
});

it('clears what a killed build left half made, and what the last build did not use', async () => {
  const cache = createStageCache(dir);
  const old = await cache.run('base', 1, make('old'));
  const used = await cache.run('base', 2, make('used'));
  mkdirSync(join(dir, 'node-0123456789abcdef.partial'));
  mkdirSync(join(dir, 'archives'));
  await cache.clearPartial();
  await cache.prune([used.dir]);
  expect(existsSync(old.dir)).toBe(false);
  expect(readdirSync(dir).toSorted()).toEqual(['archives', used.dir.slice(dir.length + 1)].toSorted());
});
