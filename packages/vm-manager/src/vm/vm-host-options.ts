/** What every runtime is told about its host, whatever kind of VM it makes. */
import type { EgressPolicy } from './egress-policy.ts';
import type { VmLimits } from './vm-limits.ts';

export type VmHostOptions = {
  /** Part of every VM's id, and so of the name of everything a VM owns on this machine. */
  installationId: string;
  /** Absolute, as are all paths here; of any length. */
  vmsDir: string;
  /** Logs and exit facts of destroyed VMs, the newest 200. */
  logsDir: string;
  /** The supervisor, built as one file, and the Node that runs it. */
  supervisorEntry: string;
  nodePath: string;
  /** The browser's managed policy, inside the VM only. */
  policyFile: string;
  /** The browser, as a path inside the VM. */
  chromiumPath: string;
  /** Certificate authorities that VMs trust besides the system's, PEM. Default: none. */
  extraAuthorities?: string | null;
  /** Resolvers for VMs; empty: this machine's own. */
  vmDns: readonly string[];
  limits?: VmLimits;
  egress?: EgressPolicy;
  /** Root only: the network that VMs' addresses are from, four for each slot. Default 10.201.0.0/16. */
  networkCidr?: string;
  /** Root only: the VM in slot n runs as this uid plus n. Default 61000. */
  uidBase?: number;
};

/** And what those that start from an image need. */
export type ImageVmHostOptions = VmHostOptions & {
  /** Where images are; see `images/image-store.ts`. */
  imagesDir: string;
};
