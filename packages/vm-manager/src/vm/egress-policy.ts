/** What of the network a VM may reach besides its control channel: the internet, and nothing that is near the host. */
export type EgressPolicy = {
  /** IPv4 networks (CIDR) that are reachable although they are private, for an identity provider of the operator's own. */
  allow: readonly string[];
  /** When set, VMs reach this proxy and name servers alone, and programs in them are told to use it. */
  proxy: { host: string; port: number } | null;
};

export const INTERNET_ONLY: EgressPolicy = { allow: [], proxy: null };
