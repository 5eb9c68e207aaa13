/** The processes of one real VM that a hand can reach, by pid and start time, from what is written in its folder. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type ProcessIdentity } from '@vestibule/vm-manager/system/process-identity';
import { createVmFolders, type SupervisedSpec } from '@vestibule/vm-manager/vm/vm-folders';
import { findAgentProcess } from '@vestibule/vm-manager/supervisor/guest-processes';

export const VM_PARTS = ['agent', 'vm_init', 'sandbox', 'supervisor'] as const;
export type VmPart = (typeof VM_PARTS)[number];

export function listVms(dataDir: string): string[] {
  const vmsDir = join(dataDir, 'vms');
  return existsSync(vmsDir) ? readdirSync(vmsDir).filter((name) => name.startsWith('vm_')) : [];
}

/** Null when it does not run, or not yet, or the folder cannot be read at this moment. */
export function findVmPart(dataDir: string, vmId: string, part: VmPart): ProcessIdentity | null {
  try {
    const found = readPart(dataDir, vmId, part);
    return found !== null && isAlive(found) ? found : null;
  } catch {
    return null;
  }
}

function readPart(dataDir: string, vmId: string, part: VmPart): ProcessIdentity | null {
  const vmsDir = join(dataDir, 'vms');
  const installationId = readFileSync(join(dataDir, 'installation-id'), 'utf8').trim();
  const fact = createVmFolders({ vmsDir, logsDir: '', installationId }).findSupervisor(vmId);
  if (fact === null) return null;
  if (part === 'supervisor') return fact.supervisor;
  if (part === 'sandbox') return fact.machine;
  if (part === 'vm_init') return fact.guestInit;
  const { launch } = JSON.parse(readFileSync(join(vmsDir, vmId, 'spec.json'), 'utf8')) as SupervisedSpec;
  return findAgentProcess(launch, fact);
}
