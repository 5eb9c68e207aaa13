/** How VMs whose processes are this machine's (`process`, `container`) are killed from its side; a container engine learns of it as of any death. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GUEST } from '@vestibule/vm-manager/vm/guest';
import { findFirstProcess, findSupervisor } from './browser-vm.ts';
import type { MachineKills } from './machine-deaths.ts';

export const PROCESS_KILLS: MachineKills = {
  endVm(dataDir, vmId, way) {
    switch (way) {
      case 'signal':
        process.kill(findFirstProcess(dataDir, vmId), 'SIGKILL');
        return;
      case 'vanished':
        process.kill(findSupervisor(dataDir, vmId), 'SIGKILL');
        return;
      case 'frozen':
        process.kill(findFirstProcess(dataDir, vmId), 'SIGSTOP');
        return;
      case 'clean':
      case 'non_zero':
        throw new Error('the agent of a real machine ends with a code of its own');
      default:
        return way satisfies never;
    }
  },
  hasHomeFile: (dataDir, vmId, path) =>
    existsSync(join(`/proc/${findFirstProcess(dataDir, vmId)}/root`, GUEST.home, path)),
};
