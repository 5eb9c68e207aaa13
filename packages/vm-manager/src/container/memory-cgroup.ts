/** How often the kernel has ended a process of a control group because its memory limit was reached: no container engine tells it reliably. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const CGROUPS_DIR = '/sys/fs/cgroup';

/** The file that counts it, for the control group a process is in; null where there is none. */
export function findOomCounter(pid: number): string | null {
  const lines = read(`/proc/${pid}/cgroup`).split('\n');
  const first = lines.map((line) => /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/.exec(line)?.[1]).find(Boolean);
  if (first !== undefined) return join(CGROUPS_DIR, 'memory', first, 'memory.oom_control');
  const unified = lines.map((line) => /^0::(.*)$/.exec(line)?.[1]).find(Boolean);
  return unified === undefined ? null : join(CGROUPS_DIR, unified, 'memory.events');
}

/** Null when the control group is gone. */
export function readOomKills(counter: string): number | null {
  const count = /^oom_kill (\d+)$/m.exec(read(counter))?.[1];
  return count === undefined ? null : Number(count);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
