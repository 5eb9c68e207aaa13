/** From the journal to the stretches of time in which something could not reach something else. Pure. */
import type { Entry, FaultKind, Scope } from './journal.ts';

export type Fault = { kind: FaultKind; scope: Scope; fromMs: number; /** Infinity: it did not end. */ toMs: number };

export function readFaults(entries: readonly Entry[]): Fault[] {
  const ends = new Map<number, number>();
  for (const entry of entries) if (entry.type === 'fault_ended') ends.set(entry.faultId, entry.atMs);
  return entries.flatMap((entry) =>
    entry.type === 'fault_began'
      ? [{ kind: entry.kind, scope: entry.scope, fromMs: entry.atMs, toMs: ends.get(entry.faultId) ?? Infinity }]
      : [],
  );
}

export type Stretch = { fromMs: number; toMs: number };

/** What cuts this VM off from its controller, or that from the database, for part of the stretch; by the time it began. */
export function findCuts(faults: readonly Fault[], vm: { vmId: string; hostId: string }, during: Stretch): Fault[] {
  const cuts = faults.filter(({ scope, fromMs, toMs }) => {
    if (fromMs >= during.toMs || toMs <= during.fromMs || scope === 'nothing') return false;
    if (scope === 'database') return true;
    if ('vmsOf' in scope) return scope.vmsOf === vm.hostId && fromMs >= during.fromMs;
    return 'vmId' in scope ? scope.vmId === vm.vmId : scope.hostId === vm.hostId;
  });
  return cuts.toSorted((one, other) => one.fromMs - other.fromMs);
}

/** The longest part of the stretch that no cut touches. */
export function measureLongestGap(cuts: readonly Fault[], { fromMs, toMs }: Stretch): number {
  let longest = 0;
  let freeFrom = fromMs;
  for (const cut of cuts) {
    longest = Math.max(longest, Math.min(cut.fromMs, toMs) - freeFrom);
    freeFrom = Math.max(freeFrom, cut.toMs);
  }
  return Math.max(longest, toMs - freeFrom);
}
