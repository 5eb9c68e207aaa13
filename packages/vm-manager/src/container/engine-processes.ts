/** The process by which podman watches a container, named after it: it goes by itself, a moment after its container was removed. */
import { setTimeout as delay } from 'node:timers/promises';
import { signalProcess, waitUntilGone } from '../system/process-identity.ts';
import { findVmProcesses, type VmProcess } from '../vm/vm-processes.ts';

const MONITORS = ['conmon'];
const GONE_MS = 5000;
const LOOK_AGAIN_MS = 10;

/** Of every VM whose id fits. */
export function findMonitors(isVmId: (text: string) => boolean): VmProcess[] {
  return findVmProcesses({ supervisorEntry: '', machinePrograms: MONITORS, isVmId });
}

/** Waits for it, and then ends it. Its container must have been removed: it would not be seen to end. */
export async function endMonitors(vmId: string): Promise<void> {
  const find = (): VmProcess[] => findMonitors((text) => text === vmId);
  const deadline = performance.now() + GONE_MS;
  while (find().length > 0 && performance.now() < deadline) await delay(LOOK_AGAIN_MS);
  const rest = find().map(({ identity }) => identity);
  for (const identity of rest) signalProcess(identity, 'SIGKILL');
  await waitUntilGone(rest, GONE_MS);
}
