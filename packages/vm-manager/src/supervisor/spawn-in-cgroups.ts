/**
 * Starts a process inside of control groups: it is born there, so it never runs outside. The supervisor enters, spawns, and goes back
 * to where it was; a VM that runs out of memory must not take along the one who tells of it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOwnCgroup, parseCgroupTrees } from '../system/cgroup-mounts.ts';

/** `spawn` must have started the process when it returns. Throws, with nothing started, when we could not go back. */
export function spawnInCgroups<T>(dirs: readonly string[], spawn: () => T): T {
  const homes = dirs.map(findHome);
  try {
    for (const dir of dirs) enter(dir);
    return spawn();
  } finally {
    for (const home of homes) enter(home);
  }
}

/** In the tree that `dir` is of. */
function findHome(dir: string): string {
  const trees = parseCgroupTrees(readFileSync('/proc/self/mountinfo', 'utf8'));
  const holding = trees.filter((candidate) => dir.startsWith(`${candidate.dir}/`));
  const tree = holding.toSorted((a, b) => b.dir.length - a.dir.length)[0];
  const home = tree === undefined ? null : findOwnCgroup(tree, readFileSync('/proc/self/cgroup', 'utf8'));
  if (home === null) throw new Error(`this process is in no control group beside ${dir}`);
  enter(home);
  return home;
}

function enter(dir: string): void {
  writeFileSync(join(dir, 'cgroup.procs'), String(process.pid));
}
