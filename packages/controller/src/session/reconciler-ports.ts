/** What the reconciler needs from the world; `app.ts` supplies it. */
import type { ControllerMessage } from '@vestibule/protocol/agent-messages';
import type { VmExit } from '@vestibule/protocol/vm';
import type { RuntimeKind } from '@vestibule/protocol/vm';
import type { HostOffer } from '../fleet/vm-store.ts';
import type { LayerFact, LinkFact, VmFact } from './plan.ts';
import type { SessionRow } from './session-row.ts';

/** The machine this controller runs VMs on. */
export type Host = {
  hostId: string;
  runtime: RuntimeKind;
  /** Most VMs at once. */
  maxVms: number;
  /** As it is now: an address may be known only once the controller serves. */
  offer(): HostOffer;
  newVmId(): string;
  create(vmId: string, slot: number, epoch: number, provider: string): Promise<void>;
  inspect(vmId: string): Promise<VmFact>;
  list(): Promise<string[]>;
  destroy(vmId: string): Promise<VmExit | null>;
};

/** The CLI layers of this host. */
export type Layers = {
  fact(provider: string): LayerFact;
  /** Starts the installation and returns; `fact` tells how it goes, `onProgress` is called with words for a person. */
  install(provider: string): void;
};

export type ChangeWay = Extract<ControllerMessage, { type: 'change_way' }>;

/** The links to the agents of this host's VMs. */
export type Links = {
  fact(vmId: string): LinkFact;
  /** Dials until the agent says hello or `drop` is called; returns at once. */
  dial(vmId: string): void;
  settle(vmId: string): void;
  changeWay(vmId: string, change: ChangeWay): void;
  release(vmId: string): void;
  /** Tells the agent to end its VM, if it can be told. */
  shutdown(vmId: string): void;
  /** Reads the link of a VM that ended to its end, for a moment at most, and dials no more. */
  drop(vmId: string): Promise<void>;
};

/** Whether another active session on this host holds what `row` needs alone (a fixed callback port on a shared loopback). */
export type FindBlocker = (row: SessionRow, active: readonly SessionRow[]) => string | null;
