/** Looks into a browser VM from the server's side while it lives, as whoever runs the server can. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GUEST } from '@vestibule/vm-manager/vm/guest';
import { createVmFolders, type SupervisedSpec, type SupervisorFact } from '@vestibule/vm-manager/vm/vm-folders';
import { findAgentProcess } from '@vestibule/vm-manager/supervisor/guest-processes';
import { query } from './database.ts';

export async function findVmId(dataDir: string, sessionId: string): Promise<string> {
  const [row] = await query<{ vm_id: string | null }>(
    dataDir,
    'select vm_id from auth_sessions where session_id = $1',
    [sessionId],
  );
  const vmId = row?.vm_id ?? null;
  if (vmId === null) throw new Error(`session ${sessionId} has no VM`);
  return vmId;
}

function findFact(dataDir: string, vmId: string): SupervisorFact | null {
  const installationId = readFileSync(join(dataDir, 'installation-id'), 'utf8').trim();
  return createVmFolders({ vmsDir: join(dataDir, 'vms'), logsDir: '', installationId }).findSupervisor(vmId);
}

/** The pid, on this machine, of the VM's supervisor. */
export function findSupervisor(dataDir: string, vmId: string): number {
  const fact = findFact(dataDir, vmId);
  if (fact === null) throw new Error(`${vmId} has no supervisor`);
  return fact.supervisor.pid;
}

/** The pid, on this machine, of the agent, whose end is the VM's end. */
export function findFirstProcess(dataDir: string, vmId: string): number {
  const fact = findFact(dataDir, vmId);
  const { launch } = JSON.parse(readFileSync(join(dataDir, 'vms', vmId, 'spec.json'), 'utf8')) as SupervisedSpec;
  const first = fact === null ? null : findAgentProcess(launch, fact);
  if (first === null) throw new Error(`${vmId} does not run`);
  return first.pid;
}

/** The pid, on this machine, of the program that a VM's machine is; what surrounds it has the same arguments, and another name. */
export function findMachine(program: RegExp, vmId: string): number {
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const [argv0 = '', ...rest] = readArgv(name);
    if (program.test(argv0) && rest.some((argument) => argument.includes(vmId))) return Number(name);
  }
  throw new Error(`${vmId} does not run`);
}

/** Empty for a process that is gone. */
function readArgv(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** A file of the person's home in the VM, byte for byte. */
export async function readHomeFile(dataDir: string, sessionId: string, path: string): Promise<Buffer> {
  const pid = findFirstProcess(dataDir, await findVmId(dataDir, sessionId));
  return readFileSync(join(`/proc/${pid}/root`, GUEST.home, path));
}
