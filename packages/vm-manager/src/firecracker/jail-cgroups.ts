/**
 * What a jail may use of this machine, as the jailer's `--cgroup` arguments, and the cgroups the jailer leaves behind. It makes
 * `<tree>/<parent>/<jail id>` and removes nothing; the parent is named by the VM's id, so no two VMs share one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseCgroupTrees } from '../system/cgroup-mounts.ts';
import { findCgroupLayout, toLimitFiles, type CgroupLayout } from '../vm/vm-cgroup.ts';
import type { VmLimits } from '../vm/vm-limits.ts';

export type JailCgroups = {
  version: 1 | 2;
  /** `file=value` for each limit. */
  toSettings(limits: VmLimits): string[];
  exists(vmId: string): boolean;
  /** Idempotent. Processes that are just ending hold a cgroup for a moment. */
  remove(vmId: string): Promise<void>;
  /** Ids of VMs that have one. */
  list(isVmId: (name: string) => boolean): Promise<string[]>;
};

/** For Firecracker itself and what the kernel keeps of the disks' files. */
const OVERHEAD_MIB = 256;
const REMOVE_MS = 3000;

/** Null where this machine has not all of the controllers. */
export function findJailCgroups(): JailCgroups | null {
  const layout = findCgroupLayout(parseCgroupTrees(readOr('/proc/self/mountinfo')), readOr);
  return layout === null ? null : createJailCgroups(layout);
}

export function createJailCgroups({ version, dirs }: CgroupLayout): JailCgroups {
  const trees = [...new Set(Object.values(dirs))];
  const parentsOf = (vmId: string): string[] => trees.map((tree) => join(tree, vmId));
  return {
    version,
    toSettings(limits) {
      const files = toLimitFiles(version, { ...limits, memoryMib: limits.memoryMib + OVERHEAD_MIB });
      // The jailer fails on a file that is not there, and whether swap is counted is seen in no other cgroup.
      const always = files.filter(({ controller, isOptional }) => !isOptional || controller === 'cpu');
      return always.map(({ name, value }) => `${name}=${value}`);
    },
    exists: (vmId) => parentsOf(vmId).some((parent) => existsSync(parent)),
    async remove(vmId) {
      for (const parent of parentsOf(vmId)) {
        for (const name of await foldersIn(parent)) await removeCgroup(join(parent, name));
        await removeCgroup(parent);
      }
    },
    async list(isVmId) {
      const found = await Promise.all(trees.map(foldersIn));
      return [...new Set(found.flat().filter(isVmId))];
    },
  };
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

/** Empty when there is no such file. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
