/**
 * The run's own journal: what each CLI really wrote, what was done to the machines, what was asked and seen, in order, on the machine's
 * monotonic clock, which every process shares. It is the truth that the product is judged by, and knows nothing of the product's tables.
 */
import { appendFileSync } from 'node:fs';
import type { CredentialFiles } from '@vestibule/protocol/agent-messages';
import type { Status } from '@vestibule/protocol/session';

/**
 * What a fault cuts off: one VM, every VM of a host, all from the database, or nothing. `vmsOf`: the VMs that the host had then, for good,
 * as they lived in the process that ended.
 */
export type Scope = { vmId: string } | { hostId: string } | { vmsOf: string } | 'database' | 'nothing';

export const KILL_KINDS = ['agent', 'vm_init', 'sandbox', 'supervisor', 'controller', 'postmaster'] as const;
export type KillKind = (typeof KILL_KINDS)[number];

export const DISTURBANCES = [
  'connection_stalled',
  'controller_frozen',
  'agent_frozen',
  'disk_filled',
  'controller_restarted',
] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

/** `scripted_end`: the VM's own script ends or freezes it. */
export type FaultKind = `${KillKind}_killed` | Disturbance | 'scripted_end' | 'controller_crashed';

/** State of one credential file after a write. */
export type WriteState = 'complete' | 'incomplete';
export type Write = { path: string; contentBase64: string; state: WriteState };

export type Fact =
  | { type: 'cli_started'; vmId: string; behaviour: string }
  /** Said before it is done. */
  | { type: 'cli_writes'; vmId: string; write: Write }
  /** Said before it ends: with 0 what it wrote is a login, if every file is complete. */
  | { type: 'cli_exits'; vmId: string; exitCode: number }
  | { type: 'fault_began'; faultId: number; kind: FaultKind; scope: Scope; detail: string }
  | { type: 'fault_ended'; faultId: number }
  | { type: 'cancel_asked'; sessionId: string }
  | { type: 'supersede_asked'; userId: string; provider: string }
  /** A controller answered that the session exists. */
  | { type: 'acknowledged'; sessionId: string; userId: string }
  /** Somebody was told of a session's status that never changes. */
  | { type: 'ended_seen'; sessionId: string; status: Status; by: string }
  | { type: 'page_saw'; sessionId: string; problem: 'gap' | 'repeat' | 'reversal'; detail: string };

export type Entry = Fact & { atMs: number };

export type Journal = {
  note(fact: Fact, atMs?: number): void;
  /** Returns what ends the fault. */
  begin(kind: FaultKind, scope: Scope, detail?: string): () => void;
  /** Calls for each fact from now on, as it is noted. Returns what ends that. */
  watch(listener: (fact: Fact) => void): () => void;
  /** By time. */
  entries(): readonly Entry[];
};

export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** What a fake VM's CLI wrote, as the facts of any CLI. */
export function toWrites(files: CredentialFiles, state: WriteState): Write[] {
  return files.map((file) => ({ ...file, state }));
}

/** Also written to `path`, line by line, so that a run that is interrupted can be understood. */
export function openJournal(path: string | null): Journal {
  const entries: Entry[] = [];
  const listeners = new Set<(fact: Fact) => void>();
  let faults = 0;
  const note: Journal['note'] = (fact, atMs = nowMs()) => {
    const entry = { atMs, ...fact };
    entries.push(entry);
    if (path !== null) appendFileSync(path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    for (const listener of listeners) listener(fact);
  };
  return {
    note,
    begin(kind, scope, detail = '') {
      const faultId = (faults += 1);
      note({ type: 'fault_began', faultId, kind, scope, detail });
      let isOver = false;
      return () => {
        if (!isOver) note({ type: 'fault_ended', faultId });
        isOver = true;
      };
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    entries: () => entries.toSorted((one, other) => one.atMs - other.atMs),
  };
}
