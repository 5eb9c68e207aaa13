/** The browser's managed policy inside a VM: the product's own, and what this installation adds. */
import { readFile } from 'node:fs/promises';
import { toDerBase64 } from './authorities.ts';
import type { EgressPolicy } from './egress-policy.ts';

/** In the folder that holds the VM's part of /etc; bound or copied to `GUEST.policyFile`. */
export const BROWSER_POLICY_FILE = 'policy.json';

export type BrowserPolicyQuery = {
  /** The product's own policy, JSON. */
  policyFile: string;
  /** PEM. */
  extraAuthorities: string | null;
  proxy: EgressPolicy['proxy'];
};

/** The file by its name. */
export async function toBrowserPolicy(query: BrowserPolicyQuery): Promise<Record<typeof BROWSER_POLICY_FILE, string>> {
  const { policyFile, extraAuthorities, proxy } = query;
  const policy = {
    ...(JSON.parse(await readFile(policyFile, 'utf8')) as Record<string, unknown>),
    ...(extraAuthorities !== null && { CACertificates: toDerBase64(extraAuthorities) }),
    // The browser itself never takes a proxy for the loopback, where CLIs listen.
    ...(proxy !== null && {
      ProxySettings: { ProxyMode: 'fixed_servers', ProxyServer: `${proxy.host}:${proxy.port}` },
    }),
  };
  return { [BROWSER_POLICY_FILE]: `${JSON.stringify(policy)}\n` };
}
