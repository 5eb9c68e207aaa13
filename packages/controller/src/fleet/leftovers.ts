/**
 * What this host holds of VMs that no row wants: another life's leftovers. The sweep of the reconciler takes them away by itself; here an
 * operator sees them, and has it done at once. It alone removes.
 */
import type { Leftover, LeftoverRemoval, Leftovers } from '@vestibule/protocol/api';

export type LeftoversDeps = {
  hostId: string;
  /** Ids of VMs of this installation of which anything exists on this host. */
  list(): Promise<string[]>;
  /** What of one exists; empty when it has just gone. */
  remains(vmId: string): Promise<Leftover['remains']>;
  /** Ids of this host's VMs that are not gone, by their rows. */
  listWanted(): Promise<ReadonlySet<string>>;
  /** Resolves when a whole sweep that began after the call is done. */
  sweep(): Promise<void>;
};

export function createLeftovers({ hostId, list, remains, listWanted, sweep }: LeftoversDeps) {
  async function find(): Promise<Leftovers> {
    // In this order: a VM's row is written before anything of it is made.
    const found = await list();
    const wanted = await listWanted();
    const unwanted = found.filter((vmId) => !wanted.has(vmId));
    const leftovers = await Promise.all(unwanted.map(async (vmId) => ({ vmId, remains: await remains(vmId) })));
    return { hostId, leftovers };
  }
  return {
    find,
    /** What was there, and what could not be taken away. */
    async remove(): Promise<LeftoverRemoval> {
      const { leftovers } = await find();
      if (leftovers.length > 0) await sweep();
      return { hostId, found: leftovers, remaining: leftovers.length === 0 ? [] : (await find()).leftovers };
    },
  };
}
