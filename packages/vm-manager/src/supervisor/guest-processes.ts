/** Finds, from this machine's side, the first process of a VM: the one its exit code comes from and SIGTERM is meant for. */
import { readFileSync, readdirSync } from 'node:fs';
import { findProcessIdentity, type ProcessIdentity } from '../system/process-identity.ts';
import { GUEST } from '../vm/guest.ts';
import type { SupervisorFact } from '../vm/vm-folders.ts';
import type { Launch } from './launch.ts';

/** Process 1 of a VM's own namespace is bubblewrap's, which collects orphans. */
const FIRST_PROCESS = '2';

type Kinship = { parent: number; /** Its pid in each process namespace, outermost first. */ pids: string[] };

/** The agent, in a VM whose processes are this machine's; null before it was started and after it ended. */
export function findAgentProcess(launch: Launch, { machine, guestInit }: SupervisorFact): ProcessIdentity | null {
  switch (launch.kind) {
    case 'sandbox':
      return machine === null ? null : findFirstProcess(machine, launch.namespaceDepth);
    case 'container':
      return guestInit === null ? null : findChild(guestInit, GUEST.node);
    case 'firecracker':
    case 'qemu':
      return null;
    default:
      return launch satisfies never;
  }
}

/**
 * `sandbox` is the outermost process of the VM, `depth` the number of process namespaces below it in which the first process is.
 * Null before that was started and after it ended.
 */
export function findFirstProcess(sandbox: ProcessIdentity, depth: number): ProcessIdentity | null {
  const processes = new Map<number, Kinship>();
  for (const name of readdirSync('/proc')) {
    const kinship = /^\d+$/.test(name) ? findKinship(name) : null;
    if (kinship !== null) processes.set(Number(name), kinship);
  }
  const levels = (processes.get(sandbox.pid)?.pids.length ?? 0) + depth;
  for (const [pid, { pids }] of processes)
    if (pids.length === levels && pids.at(-1) === FIRST_PROCESS && descendsFrom(processes, pid, sandbox.pid))
      return findProcessIdentity(pid);
  return null;
}

function findChild(parent: ProcessIdentity, program: string): ProcessIdentity | null {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || findKinship(name)?.parent !== parent.pid) continue;
    const identity = findProcessIdentity(Number(name));
    if (identity !== null && readProgram(name) === program) return identity;
  }
  return null;
}

function readProgram(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? '';
  } catch {
    return '';
  }
}

function descendsFrom(processes: ReadonlyMap<number, Kinship>, pid: number, ancestor: number): boolean {
  for (let at = processes.get(pid)?.parent; at !== undefined; at = processes.get(at)?.parent)
    if (at === ancestor) return true;
  return false;
}

/** Null when the process is gone. */
function findKinship(pid: string): Kinship | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const parent = /^PPid:\s+(\d+)$/m.exec(status)?.[1];
    const pids = /^NSpid:\s+(.+)$/m.exec(status)?.[1];
    return parent === undefined || pids === undefined ? null : { parent: Number(parent), pids: pids.split(/\s+/) };
  } catch {
    return null;
  }
}
