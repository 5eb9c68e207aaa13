/** What the two processes of a double say to each other: Firecracker's, and the one that has root and runs the guest for it. */
export const GUEST_DIR = 'double-guest';

export type FromVmm = { type: 'start'; configDrive: string; layerDrive: string | null } | { type: 'stop' };
export type ToVmm =
  { type: 'agent_started' } | { type: 'agent_exited'; code: number } | { type: 'failed'; words: string };
