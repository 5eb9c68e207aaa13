/** How VMs are killed from this machine's side, by runtime: their agent where its process is this machine's, else the machine itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GUEST } from '@vestibule/vm-manager/vm/guest';
import type { VmDeath } from '../../packages/controller/src/testing-deaths.ts';
import { findFirstProcess, findMachine, findSupervisor } from './browser-vm.ts';

export type MachineKills = {
  endVm(dataDir: string, vmId: string, way: VmDeath): void;
  /** Whether the file is there in the home of the VM's person; null where this machine cannot see it. */
  hasHomeFile: ((dataDir: string, vmId: string, path: string) => boolean) | null;
};

function createKills(find: (dataDir: string, vmId: string) => number): MachineKills['endVm'] {
  return (dataDir, vmId, way) => {
    switch (way) {
      case 'signal':
        process.kill(find(dataDir, vmId), 'SIGKILL');
        return;
      case 'vanished':
        process.kill(findSupervisor(dataDir, vmId), 'SIGKILL');
        return;
      case 'frozen':
        process.kill(find(dataDir, vmId), 'SIGSTOP');
        return;
      case 'clean':
      case 'non_zero':
        throw new Error('the agent of a real machine ends with a code of its own');
      default:
        return way satisfies never;
    }
  };
}

const BY_AGENT: MachineKills = {
  endVm: createKills(findFirstProcess),
  hasHomeFile: (dataDir, vmId, path) =>
    existsSync(join(`/proc/${findFirstProcess(dataDir, vmId)}/root`, GUEST.home, path)),
};
const BY_QEMU: MachineKills = {
  endVm: createKills((_dataDir, vmId) => findMachine(/qemu-system-\w+$/, vmId)),
  hasHomeFile: null,
};

export const MACHINE_KILLS = {
  process: BY_AGENT,
  container: BY_AGENT,
  qemu: BY_QEMU,
} as const satisfies Record<string, MachineKills>;
