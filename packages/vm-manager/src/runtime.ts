/**
 * A runtime is one way to run browser VMs. Implementations are in `runtimes/`, one file each, and all pass `runtime.conformance.ts`.
 * Every method is idempotent and asks the system, never memory: a controller that restarts finds its VMs through `list`.
 */
import type { Duplex } from 'node:stream';
import type { Requirement } from '@vestibule/protocol/api';
import type { RuntimeKind, VmExit } from '@vestibule/protocol/vm';

export type VmSpec = {
  /** `vm_<installation>_<random>`; names every resource the VM owns. */
  vmId: string;
  /** Small number, unique among the VMs of this host that are not gone; for addresses, uids and device names. */
  slot: number;
  /** The CLI's read-only layer on this host (see `ProviderLayers`), or null for a VM without one. */
  layer: { dir: string } | null;
  /** Grows with every new link; `1` at creation. */
  epoch: number;
};

export type VmInspection =
  | { state: 'running' }
  /** Ended, as its supervisor wrote it down. */
  | { state: 'exited'; exit: VmExit }
  /** Nothing of it exists and nothing is known of how it ended. */
  | { state: 'missing' };

export type VmRemain = { kind: string; name: string };

export type Runtime = {
  readonly kind: RuntimeKind;
  /** VMs share this machine's kernel: pages and preflight say so. */
  readonly sharedKernel: boolean;
  /** VMs share this machine's loopback, so two CLIs with the same fixed callback port cannot run at once. */
  readonly sharedLoopback: boolean;
  /**
   * How many times slower than this machine its guests run, as the last `preflight` measured; 1 before that, and at least 1.
   * What waits for a stage of a VM's start (boot, display, browser) waits that many times longer.
   */
  pace(): number;

  /** Unmet requirements and notices, each with a hint for a person. MUST really try what it promises (run a probe), MUST NOT throw. */
  preflight(): Promise<Requirement[]>;

  /** Starts the VM. MUST return before the guest is ready, MUST do nothing when it runs already, MUST throw when it cannot start. */
  create(spec: VmSpec): Promise<void>;

  /** MUST tell an exit exactly as observed, also after a restart of this process, until `destroy`. */
  inspect(vmId: string): Promise<VmInspection>;

  /** Ids of all VMs of this installation of which anything exists (process, folder, namespace, mount). */
  list(): Promise<string[]>;

  /** What of a VM exists on this machine, in words and names that a person finds it by. Not every runtime can tell. */
  remains?(vmId: string): Promise<VmRemain[]>;

  /**
   * A duplex byte stream to the agent or the display. Rejects when there is none yet: callers try again.
   * Bytes written by the guest before it ended MUST still be readable.
   */
  connect(vmId: string, channel: 'agent' | 'display'): Promise<Duplex>;

  /**
   * Ends the VM and removes all it owned, verified. MUST end it when it ignores being asked (kill by pid and start time),
   * MUST be safe on an unknown id. Returns how it ended when that is known.
   */
  destroy(vmId: string): Promise<VmExit | null>;

  /** Absent where the runtime keeps no VM for others to start from; no runtime does yet. */
  readonly snapshots?: Snapshots;
};

/**
 * What a runtime may be able to do besides: keep a VM whose guest is up, and start others from it. A VM that is started again has
 * everything of the one that was kept, unique values too: whatever a guest holds of tokens, ids and random state is to be renewed in it, its
 * clock set and its links opened anew, before it is given to a session.
 */
type Snapshots = {
  /** Keeps the VM as it is now, under a name; it goes on. */
  keep(vmId: string, name: string): Promise<void>;
  /** As `Runtime.create`, from what was kept. */
  createFrom(name: string, spec: VmSpec): Promise<void>;
  forget(name: string): Promise<void>;
};
