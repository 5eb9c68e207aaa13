/** Being born in a control group, in every tree of this machine, of either version. Root. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { parseCgroupTrees } from '../system/cgroup-mounts.ts';
import { spawnInCgroups } from './spawn-in-cgroups.ts';

const own = (): string => readFileSync('/proc/self/cgroup', 'utf8');
// `cpuset` takes no process before it is told which processors.
const trees = parseCgroupTrees(readFileSync('/proc/self/mountinfo', 'utf8')).filter(
  ({ controllers }) => !controllers.includes('cpuset'),
);
const isAble = process.geteuid?.() === 0 && trees.length > 0;
if (!isAble) console.warn('skipped: needs root and control groups');

it.runIf(isAble)('starts a process inside, in each tree, and is back where it was', () => {
  const name = `vestibule_test_${randomBytes(4).toString('hex')}`;
  const before = own();
  for (const tree of trees) {
    const dir = join(tree.dir, name);
    mkdirSync(dir);
    try {
      const seen = spawnInCgroups([dir], () => execFileSync('/bin/cat', ['/proc/self/cgroup'], { encoding: 'utf8' }));
      expect(seen.split('\n').some((line) => line.endsWith(`:${join(tree.root, relative(tree.dir, dir))}`))).toBe(true);
      expect(own()).toBe(before);
    } finally {
      rmdirSync(dir);
    }
  }
});

it.runIf(isAble)('starts nothing when a group is not there', () => {
  const before = own();
  let isStarted = false;
  const spawn = (): void => {
    isStarted = true;
  };
  expect(() => spawnInCgroups([join(trees[0]?.dir ?? '', 'vestibule_absent')], spawn)).toThrow(/ENOENT/);
  expect(isStarted).toBe(false);
  expect(own()).toBe(before);
});
