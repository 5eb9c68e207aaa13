/** Packet filters of others on this machine that drop what it forwards, as Docker's does: no rule of ours can take that back. */
import { z } from 'zod';

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
