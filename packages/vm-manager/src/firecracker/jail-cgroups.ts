/**
 * What a jail may use of this machine, as the jailer's `--cgroup` arguments, and the cgroups the jailer leaves behind. It makes
 * `<hierarchy>/<parent>/<jail id>` and removes nothing; the parent is named by the VM's id, so no two VMs share one.
 */
import { readFileSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { VmLimits } from '../vm/vm-limits.ts';

export type CgroupLayout = {
  version: 1 | 2;
  /** Where a VM's cgroups can be: one hierarchy for each controller in version 1. */
  hierarchies: readonly string[];
};

const CONTROLLERS = ['memory', 'pids', 'cpu'] as const;
/** For Firecracker itself and what the kernel keeps of the disks' files. */
const OVERHEAD_MIB = 256;
const PERIOD_US = 100_000;
const REMOVE_MS = 3000;

/** Null when this machine has neither the controllers of version 1 nor those of version 2. `mounts`: as in /proc/mounts. */
export function findCgroupLayout(
  mounts = readFileSync('/proc/mounts', 'utf8'),
  readControllers = (path: string): string => readFileSync(join(path, 'cgroup.controllers'), 'utf8'),
): CgroupLayout | null {
  const all = mounts.split('\n').map((line) => line.split(' '));
  const first = CONTROLLERS.map((controller) =>
    all.find(([, , type, options = '']) => type === 'cgroup' && options.split(',').includes(controller)),
  );
  if (first.every((mount) => mount !== undefined))
    return { version: 1, hierarchies: [...new Set(first.map(([, path = '']) => path))] };
  const unified = all.find(([, , type]) => type === 'cgroup2')?.[1];
  if (unified === undefined) return null;
  const offered = readControllers(unified).trim().split(' ');
  return CONTROLLERS.every((name) => offered.includes(name)) ? { version: 2, hierarchies: [unified] } : null;
}

/** `file=value` for each limit. */
export function toCgroupSettings({ version }: CgroupLayout, { memoryMib, pids, cpus }: VmLimits): string[] {
  const bytes = (memoryMib + OVERHEAD_MIB) * 1024 * 1024;
  const quota = Math.max(1000, Math.round(cpus * PERIOD_US));
  return version === 1
    ? [
        `memory.limit_in_bytes=${bytes}`,
        `pids.max=${pids}`,
        `cpu.cfs_period_us=${PERIOD_US}`,
        `cpu.cfs_quota_us=${quota}`,
      ]
    : [`memory.max=${bytes}`, `pids.max=${pids}`, `cpu.max=${quota} ${PERIOD_US}`];
}

/** Idempotent. Processes that are just ending hold a cgroup for a moment. */
export async function removeCgroups(layout: CgroupLayout, vmId: string): Promise<void> {
  for (const hierarchy of layout.hierarchies) {
    const parent = join(hierarchy, vmId);
    for (const name of await foldersIn(parent)) await removeCgroup(join(parent, name));
    await removeCgroup(parent);
  }
}

/** Ids of VMs that have a cgroup. */
export async function listCgroups(layout: CgroupLayout, isVmId: (name: string) => boolean): Promise<string[]> {
  const found = await Promise.all(layout.hierarchies.map(foldersIn));
  return [...new Set(found.flat().filter(isVmId))];
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function removeCgroup(path: string): Promise<void> {
  for (const deadline = performance.now() + REMOVE_MS; ; await delay(10)) {
    try {
      return await rmdir(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY' || performance.now() > deadline) throw error;
    }
  }
}
