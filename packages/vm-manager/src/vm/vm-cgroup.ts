/**
 * A control group for each VM, as root: the kernel bounds its memory (memory file systems included), processes and processor time, and
 * knows all its processes. `vestibule_<installation>/<vmId>` in the tree of each controller (version 1) or in the one tree (version 2).
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseCgroupTrees, type CgroupTree } from '../system/cgroup-mounts.ts';
import { findProcessIdentity, signalProcess } from '../system/process-identity.ts';
import type { VmLimits } from './vm-limits.ts';

const CONTROLLERS = ['memory', 'pids', 'cpu'] as const;
type Controller = (typeof CONTROLLERS)[number];
/** Where each controller's groups are; the same folder for all in version 2. */
export type CgroupLayout = { version: 1 | 2; dirs: Record<Controller, string> };

const MIB = 1024 * 1024;
const PERIOD_US = 100_000;
const REMOVE_MS = 5000;

export type VmCgroups = {
  /** Makes the VM's groups anew and returns their folders, for `spawnInCgroups`. */
  create(vmId: string, limits: Pick<VmLimits, 'memoryMib' | 'pids' | 'cpus'>): Promise<string[]>;
  exists(vmId: string): boolean;
  /** Kills what is still in them. Idempotent; throws when one remains. */
  remove(vmId: string): Promise<void>;
  /** Ids of VMs that have one. */
  list(): Promise<string[]>;
};

/** Null where this machine has not all of the controllers in trees of one version. */
export function findCgroupLayout(
  trees: readonly CgroupTree[],
  readText: (path: string) => string,
): CgroupLayout | null {
  for (const tree of trees.filter(({ version }) => version === 2)) {
    const offered = readText(join(tree.dir, 'cgroup.controllers')).trim().split(' ');
    if (CONTROLLERS.every((name) => offered.includes(name)))
      return { version: 2, dirs: { memory: tree.dir, pids: tree.dir, cpu: tree.dir } };
  }
  const dirOf = (name: Controller): string | undefined =>
    trees.find(({ version, controllers }) => version === 1 && controllers.includes(name))?.dir;
  const [memory, pids, cpu] = CONTROLLERS.map(dirOf);
  if (memory === undefined || pids === undefined || cpu === undefined) return null;
  return { version: 1, dirs: { memory, pids, cpu } };
}

/** The files that hold the limits, in the order of writing. What a kernel was built without is marked as optional. */
export function toLimitFiles(version: 1 | 2, { memoryMib, pids, cpus }: Pick<VmLimits, 'memoryMib' | 'pids' | 'cpus'>) {
  const memory = String(memoryMib * MIB);
  const quota = Math.round(cpus * PERIOD_US);
  const file = (controller: Controller, name: string, value: string, isOptional = false) => ({
    ...{ controller, name, value, isOptional },
  });
  if (version === 2)
    return [
      file('memory', 'memory.max', memory),
      file('memory', 'memory.swap.max', '0', true),
      file('pids', 'pids.max', String(pids)),
      file('cpu', 'cpu.max', `${quota} ${PERIOD_US}`),
    ];
  return [
    file('memory', 'memory.limit_in_bytes', memory),
    file('memory', 'memory.memsw.limit_in_bytes', memory, true),
    file('pids', 'pids.max', String(pids)),
    file('cpu', 'cpu.cfs_period_us', String(PERIOD_US), true),
    file('cpu', 'cpu.cfs_quota_us', String(quota), true),
  ];
}

/** Null where there is none for us; what a VM may use is then bounded by other means or not at all. */
export function createVmCgroups(installationId: string): VmCgroups | null {
  if (process.geteuid?.() !== 0) return null;
  const layout = findCgroupLayout(parseCgroupTrees(readOr('/proc/self/mountinfo')), readOr);
  if (layout === null) return null;
  const parent = `vestibule_${installationId}`;
  const trees = [...new Set(Object.values(layout.dirs))];
  const dirsOf = (vmId: string): string[] => trees.map((tree) => join(tree, parent, vmId));

  /** In version 2 a group's controllers are its parent's to give. */
  async function offerControllers(tree: string): Promise<void> {
    const all = CONTROLLERS.map((name) => `+${name}`).join(' ');
    for (const dir of [tree, join(tree, parent)]) await writeFile(join(dir, 'cgroup.subtree_control'), all);
  }

  async function remove(vmId: string): Promise<void> {
    for (const dir of dirsOf(vmId).toReversed()) await removeGroup(dir);
    // Another VM's may be there, or be made just now.
    for (const tree of trees) await rmdir(join(tree, parent)).catch(() => undefined);
  }

  return {
    exists: (vmId) => dirsOf(vmId).some((dir) => existsSync(dir)),
    remove,
    async create(vmId, limits) {
      await remove(vmId);
      for (const dir of dirsOf(vmId)) await mkdir(dir, { recursive: true, mode: 0o755 });
      if (layout.version === 2) for (const tree of trees) await offerControllers(tree);
      for (const { controller, name, value, isOptional } of toLimitFiles(layout.version, limits)) {
        const path = join(layout.dirs[controller], parent, vmId, name);
        if (!isOptional || existsSync(path)) await writeFile(path, value);
      }
      return dirsOf(vmId);
    },
    async list() {
      const found = await Promise.all(trees.map((tree) => listFolders(join(tree, parent))));
      return [...new Set(found.flat())].filter((name) => name.startsWith(`vm_${installationId}_`));
    },
  };
}

/** Whether the kernel killed a process in one of the groups because it needed more memory than the group has. */
export function hasRunOutOfMemory(dirs: readonly string[]): boolean {
  return dirs.some((dir) =>
    ['memory.oom_control', 'memory.events'].some((name) => /^oom_kill [1-9]/m.test(readOr(join(dir, name)))),
  );
}

/** Again until it is empty: a process may have forked between being listed and being killed. */
async function removeGroup(dir: string): Promise<void> {
  const deadline = performance.now() + REMOVE_MS;
  for (;;) {
    const error = await rmdir(dir).then(
      () => null,
      (caught: NodeJS.ErrnoException) => caught,
    );
    if (error === null || error.code === 'ENOENT') return;
    if (error.code !== 'EBUSY' || performance.now() > deadline) throw error;
    const members = await readFile(join(dir, 'cgroup.procs'), 'utf8').catch(() => '');
    for (const pid of members.split('\n').map(Number)) {
      const identity = pid > 1 ? findProcessIdentity(pid) : null;
      if (identity !== null) signalProcess(identity, 'SIGKILL');
    }
    await delay(10);
  }
}

async function listFolders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Empty when there is no such file. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
