/** What of the network a VM may reach besides its control channel: the internet, and nothing that is near the host. Pure, but for names. */
import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';

export type EgressPolicy = {
  /** IPv4 networks (CIDR) that are reachable although they are private, for an identity provider of the operator's own. */
  allow: readonly string[];
  /** When set, VMs reach this proxy and name servers alone, and programs in them are told to use it. */
  proxy: { host: string; port: number } | null;
};

export const INTERNET_ONLY: EgressPolicy = { allow: [], proxy: null };

/**
 * What is not the internet: private, shared (CGNAT), link-local with the metadata of clouds, protocol assignments (192.0.0.0/24, another
 * cloud's metadata), benchmarks, multicast, reserved, broadcast. https://www.iana.org/assignments/iana-ipv4-special-registry
 */
export const NEAR_NETWORKS = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
] as const;

/** A policy as the packet filter needs it: addresses only. */
export type EgressRules = {
  allow: readonly string[];
  proxy: { addresses: readonly string[]; port: number } | null;
};

/** Throws on what is no IPv4 network. */
export function refuseOddNetworks(allow: readonly string[]): void {
  for (const network of allow) {
    const [address = '', length = '32', rest] = network.split('/');
    const isOdd = !isIPv4(address) || !/^\d{1,2}$/.test(length) || Number(length) > 32 || rest !== undefined;
    if (isOdd) throw new Error(`not an IPv4 network: ${JSON.stringify(network)}`);
  }
}

/** Asks this machine's resolver for the proxy's addresses; throws when it has none. */
export async function toEgressRules({ allow, proxy }: EgressPolicy): Promise<EgressRules> {
  refuseOddNetworks(allow);
  if (proxy === null) return { allow, proxy: null };
  const found = await lookup(proxy.host, { family: 4, all: true }).catch((cause: unknown) => {
    throw new Error(`the egress proxy ${proxy.host} has no IPv4 address`, { cause });
  });
  return { allow, proxy: { addresses: [...new Set(found.map(({ address }) => address))], port: proxy.port } };
}

/** What tells the programs in a VM of the proxy; the browser is told by its policy. */
export function toProxyEnvironment(proxy: EgressPolicy['proxy']): Record<string, string> {
  if (proxy === null) return {};
  const url = `http://${proxy.host}:${proxy.port}`;
  const own = 'localhost,127.0.0.1,::1';
  return { HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: own, http_proxy: url, https_proxy: url, no_proxy: own };
}
