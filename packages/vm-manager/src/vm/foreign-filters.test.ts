/** Finding a filter of another's that keeps VMs from the internet. */
import { expect, it } from 'vitest';
import { findForwardDrops } from './foreign-filters.ts';

const chain = (family: string, table: string, name: string, more: object = {}) => ({
  chain: { family, table, name, handle: 1, ...more },
});
const base = (hook: string, policy: string) => ({ type: 'filter', hook, prio: 0, policy });
const toListing = (...chains: object[]) =>
  JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...chains] });

it("finds Docker's, and none of those that let through or look at something else", () => {
  const listing = toListing(
    chain('ip', 'filter', 'FORWARD', base('forward', 'drop')),
    chain('ip', 'filter', 'DOCKER-USER'),
    chain('ip', 'filter', 'INPUT', base('input', 'drop')),
    chain('ip6', 'filter', 'FORWARD', base('forward', 'drop')),
    chain('inet', 'vestibule_a', 'forward', base('forward', 'accept')),
  );
  expect(findForwardDrops(listing)).toEqual(['ip filter FORWARD']);
});
it('finds none where there is no filter', () => {
  expect(findForwardDrops(toListing())).toEqual([]);
});
