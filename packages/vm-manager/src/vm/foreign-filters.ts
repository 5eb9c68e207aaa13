/** Packet filters of others on this machine that drop what it forwards, as Docker's does: no rule of ours can take that back. */
import type { Requirement } from '@vestibule/protocol/api';
import { z } from 'zod';
import { runCommand } from '../system/run-command.ts';

const chainSchema = z.object({
  family: z.string(),
  table: z.string(),
  name: z.string(),
  hook: z.string().optional(),
  policy: z.string().optional(),
});
const listingSchema = z.object({ nftables: z.array(z.object({ chain: chainSchema.optional() })) });

/** `json`: what `nft -j list chains` says. Names of the chains, as a person lists them. */
export function findForwardDrops(json: string): string[] {
  const chains = listingSchema.parse(JSON.parse(json)).nftables.flatMap(({ chain }) => chain ?? []);
  return chains
    .filter(({ family, hook, policy }) => family !== 'ip6' && hook === 'forward' && policy === 'drop')
    .map(({ family, table, name }) => `${family} ${table} ${name}`);
}

/** For the preflight of every runtime whose VMs have networks of their own. A notice: the filter may have been told to let VMs pass. */
export async function checkForwarding(): Promise<Requirement | null> {
  const listing = await runCommand(['nft', '-j', 'list', 'chains']).catch(() => null);
  const [found] = listing === null ? [] : findForwardDrops(listing);
  if (found === undefined) return null;
  return {
    id: 'forwarding',
    title: `Another packet filter of this server drops what it forwards (${found}): browser machines may reach nothing`,
    hint:
      'Let it pass what comes from devices named vb* and what answers them; with Docker: iptables -I DOCKER-USER -i vb+ -j ACCEPT && ' +
      'iptables -I DOCKER-USER -o vb+ -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    severity: 'notice',
  };
}
