/** What the machine of a sign-in printed, for the operator: while it runs and, for the newest ones, afterwards. It is on the machine's host. */
import { AppError } from '@vestibule/protocol/errors';
import type { SessionStore } from './session-store.ts';

export type MachineLogsDeps = {
  store: Pick<SessionStore, 'find'>;
  hostId: string;
  /** Of a VM of this host; null when nothing of it is kept. */
  findLog: (vmId: string) => Promise<string | null>;
  /** Where the controller of another host serves, as it said itself. */
  findPeerUrl: (hostId: string) => Promise<string | null>;
  /** The last net: an agent writes no secret. */
  scrub: (text: string) => string;
};

export function createMachineLogs({ store, hostId, findLog, findPeerUrl, scrub }: MachineLogsDeps) {
  return {
    /** Throws `session_not_found`, and `machine_log_not_found` with words that say where it is, if anywhere. */
    async read(sessionId: string): Promise<string> {
      const row = await store.find(sessionId);
      if (row === null) throw new AppError('session_not_found');
      const { vm } = row;
      if (vm === null) throw new AppError('machine_log_not_found', 'This sign-in has no machine, or none yet.');
      if (vm.hostId !== hostId) {
        const peerUrl = await findPeerUrl(vm.hostId);
        const place = peerUrl === null ? vm.hostId : `${vm.hostId} (${peerUrl})`;
        throw new AppError('machine_log_not_found', `The machine is on another host, and so is its log: ask ${place}.`);
      }
      const log = await findLog(vm.vmId);
      if (log !== null) return scrub(log);
      throw new AppError('machine_log_not_found', 'No log of this machine is kept: it has printed nothing, or is old.');
    },
  };
}
