/** Finds the QEMU of a VM on this machine, behind the jail that surrounds it: by its name and the VM's id in its argv. */
import { readFileSync, readdirSync } from 'node:fs';
import { findProcessIdentity, type ProcessIdentity } from '../system/process-identity.ts';
import { QEMU } from './qemu-argv.ts';

/** Null when it does not run. */
export function findQemuProcess(vmId: string): ProcessIdentity | null {
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isQemuOf(name, vmId));
  return pid === undefined ? null : findProcessIdentity(Number(pid));
}

function isQemuOf(pid: string, vmId: string): boolean {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return argv[0] === QEMU && argv[argv.indexOf('-name') + 1] === vmId;
  } catch {
    return false;
  }
}
