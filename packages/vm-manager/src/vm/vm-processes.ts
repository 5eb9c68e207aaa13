/** Finds the processes of VMs by their argv, for what a crash left behind before a supervisor could write its pid down. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { findProcessIdentity, type ProcessIdentity } from '../system/process-identity.ts';

export type VmProcess = { vmId: string; role: 'supervisor' | 'machine'; identity: ProcessIdentity };

export type VmProcessQuery = {
  supervisorEntry: string;
  /** Of these programs, those whose argv holds a VM's id. */
  machinePrograms: readonly string[];
  isVmId: (text: string) => boolean;
};

/** Every supervisor and every outer process of a VM of ours that runs on this machine. */
export function findVmProcesses({ supervisorEntry, machinePrograms, isVmId }: VmProcessQuery): VmProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const argv = readArgv(name);
    const program = basename(argv[0] ?? '');
    const isSupervisor = argv[1] === supervisorEntry;
    if (!isSupervisor && !machinePrograms.includes(program)) return [];
    const vmId = argv.map((argument) => (isSupervisor ? basename(argument) : argument)).find(isVmId);
    const identity = findProcessIdentity(Number(name));
    if (vmId === undefined || identity === null) return [];
    return [{ vmId, role: isSupervisor ? ('supervisor' as const) : ('machine' as const), identity }];
  });
}

/** Empty when the process is gone, is the kernel's, or is another user's, whom we could not end and who could pretend anything. */
function readArgv(pid: string): string[] {
  try {
    const own = process.geteuid?.() ?? 0;
    if (own !== 0 && statSync(`/proc/${pid}`).uid !== own) return [];
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
