/** What really happened in the simulated world, kept apart from the product's tables: the judge's evidence. */
export type VmTruth = {
  vmId: string;
  hostId: string;
  startedAtMs: number;
  /** Hashes of contents with which the session may complete: truly written, and the definition's condition met. */
  acceptable: Set<string>;
  /** When the sign-in had truly succeeded, beyond what could still be taken back; null: never. */
  succeededAtMs: number | null;
  /** When the agent first offered the login. */
  offeredAtMs: number | null;
  /** Since when VM, controller of its host and database can all reach each other; null: they cannot. */
  reachableSinceMs: number | null;
  /** Longest time they could without a break since the sign-in succeeded. */
  longestReachableMs: number;
  /** The same since the login was offered and the session had ended. */
  longestReachableLateMs: number;
};

export type Journal = {
  vms: Map<string, VmTruth>;
  violations: string[];
  /** Lines for a person, when wanted. */
  trace: string[] | null;
};

export function createJournal(isTraced: boolean): Journal {
  return { vms: new Map(), violations: [], trace: isTraced ? [] : null };
}

export function createVmTruth(vmId: string, hostId: string, startedAtMs: number): VmTruth {
  return {
    ...{ vmId, hostId, startedAtMs, acceptable: new Set<string>(), succeededAtMs: null, offeredAtMs: null },
    ...{ reachableSinceMs: null, longestReachableMs: 0, longestReachableLateMs: 0 },
  };
}
