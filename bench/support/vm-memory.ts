/** What one browser VM takes of this machine's memory, whatever its runtime: all its processes here, and its control group. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readMemory } from './memory.ts';

/**
 * PSS counts a page shared with other processes by its share. `cgroup_mb`: what the kernel charges to the VM's control group, less what
 * it could drop from the page cache at once; absent where the VM has none of its own. MB are 10^6 bytes.
 */
export type VmMemory = { pss_mb: number; processes: number; cgroup_mb?: number };

type SeenProcess = { pid: number; parent: number; argv: string; network: string };

export function readVmMemory(dataDir: string, vmId: string): VmMemory {
  const pids = findProcesses(dataDir, vmId);
  const pss = pids.map((pid) => readIfAlive(() => readMemory(pid).pss_mb) ?? 0);
  // A container's monitor is in a small group of its own.
  const cgroups = pids.flatMap((pid) => readIfAlive(() => readCgroupMb(pid)) ?? []);
  return {
    pss_mb: pss.reduce((sum, mb) => sum + mb, 0),
    processes: pids.length,
    ...(cgroups.length > 0 && { cgroup_mb: Math.max(...cgroups) }),
  };
}

/** The supervisor and its descendants, whoever names the VM in its arguments (a container's monitor), and all in the VM's network. */
function findProcesses(dataDir: string, vmId: string): number[] {
  const fact = JSON.parse(readFileSync(join(dataDir, 'vms', vmId, 'supervisor.json'), 'utf8')) as {
    supervisor: { pid: number };
  };
  const network = readIfAlive(() => `net:[${statSync(`/run/netns/${vmId}`).ino}]`);
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readIfAlive(() => readProcess(Number(name))) ?? []);
  const found = new Set([fact.supervisor.pid]);
  for (const { pid, argv, network: own } of all) if (argv.includes(vmId) || own === network) found.add(pid);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

function readProcess(pid: number): SeenProcess {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return {
    pid,
    parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]),
    argv: readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
    network: readlinkSync(`/proc/${pid}/ns/net`),
  };
}

/** Of version 1, else 2; null for a process in the group that this one is in. */
function readCgroupMb(pid: number): number | null {
  const [path, own] = [findMemoryCgroup(pid), findMemoryCgroup('self')];
  if (path === null || path === own) return null;
  const { dir, usage, reclaimable } = path.startsWith('1:')
    ? { dir: '/sys/fs/cgroup/memory', usage: 'memory.usage_in_bytes', reclaimable: 'total_inactive_file' }
    : { dir: '/sys/fs/cgroup', usage: 'memory.current', reclaimable: 'inactive_file' };
  const group = join(dir, path.slice(2));
  const stat = readFileSync(join(group, 'memory.stat'), 'utf8');
  const inactive = Number(new RegExp(`^${reclaimable} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
  return Math.round((Number(readFileSync(join(group, usage), 'utf8')) - inactive) / 1e6);
}

/** The version of control groups, a colon, and the path of the group. */
function findMemoryCgroup(pid: number | 'self'): string | null {
  const text = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const first = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(text)?.[1];
  if (first !== undefined) return `1:${first}`;
  const second = /^0::(.*)$/m.exec(text)?.[1];
  return second === undefined ? null : `2:${second}`;
}

/** Undefined when it is gone meanwhile. */
function readIfAlive<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
