/** What the supervisor does with a VM, whatever kind it is: starts it, asks it to end, kills it, hears how it ended. */
import type { ProcessIdentity } from '../system/process-identity.ts';

export type MachineEnd = {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** In words, when code and signal do not tell it. */
  words?: string;
};

export type Machine = {
  /** Resolves once, when the VM has ended and all that it printed was read. Rejects, with words, when it could not be started. */
  ended: Promise<MachineEnd>;
  /** Asks the VM's first process to end. May be called at any time, also before there is one. */
  askToEnd(): void;
  /** Ends it without asking. `ended` must then resolve. */
  kill(): void;
};

export type MachineHooks = {
  /** The VM's folder. */
  vmDir: string;
  /** What the VM prints, from the first byte; kept bounded. */
  log(chunk: Buffer): void;
  /** Processes that are the VM's on this machine, written down at once so that whoever comes later can end them. */
  report(processes: { machine?: ProcessIdentity | null; guestInit?: ProcessIdentity | null }): void;
};
