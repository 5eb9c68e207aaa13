/** Seeing and removing what a crash left, beside VMs that live. */
import { expect, it } from 'vitest';
import { createLeftovers } from './leftovers.ts';

function createWorld(isStuck: boolean) {
  const here = new Set(['vm_a_1', 'vm_a_2']);
  const wanted = new Set(['vm_a_2']);
  let sweeps = 0;
  const leftovers = createLeftovers({
    hostId: 'host_a',
    list: async () => [...here],
    remains: async () => [{ kind: 'network', name: 'vb1' }],
    listWanted: async () => wanted,
    async sweep() {
      sweeps += 1;
      if (!isStuck) here.delete('vm_a_1');
    },
  });
  return { leftovers, here, sweeps: () => sweeps };
}
const left = { vmId: 'vm_a_1', remains: [{ kind: 'network', name: 'vb1' }] };

it('shows what no row wants, and removes nothing by that', async () => {
  const { leftovers, here, sweeps } = createWorld(false);
  expect(await leftovers.find()).toEqual({ hostId: 'host_a', leftovers: [left] });
  expect([here.size, sweeps()]).toEqual([2, 0]);
});

it('has the sweep remove it and leaves what a row wants', async () => {
  const { leftovers, here, sweeps } = createWorld(false);
  expect(await leftovers.remove()).toEqual({ hostId: 'host_a', found: [left], remaining: [] });
  expect([...here]).toEqual(['vm_a_2']);
  expect(await leftovers.remove()).toEqual({ hostId: 'host_a', found: [], remaining: [] });
  expect(sweeps()).toBe(1);
});

it('tells what remains when the sweep could not remove it', async () => {
  const { leftovers } = createWorld(true);
  expect(await leftovers.remove()).toEqual({ hostId: 'host_a', found: [left], remaining: [left] });
});
