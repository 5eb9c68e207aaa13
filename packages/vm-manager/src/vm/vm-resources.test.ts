/** Taking away what a VM owned. */
import { expect, it } from 'vitest';
import { findResources, removeResources, type VmResource } from './vm-resources.ts';

function createResource(journal: string[], name: string, how: 'works' | 'throws' | 'lies' = 'works'): VmResource {
  let isThere = true;
  return {
    kind: 'folder',
    name,
    exists: async () => isThere,
    async remove() {
      journal.push(name);
      if (how === 'throws') throw new Error('busy');
      if (how === 'works') isThere = false;
    },
  };
}

it('takes away the last made first', async () => {
  const journal: string[] = [];
  const all = ['folder', 'network', 'processes'].map((name) => createResource(journal, name));
  expect((await findResources(all)).map(({ name }) => name)).toEqual(['folder', 'network', 'processes']);
  await removeResources('vm_1', all);
  expect(journal).toEqual(['processes', 'network', 'folder']);
  expect(await findResources(all)).toEqual([]);
});

it('goes on after one that fails or only claims to be gone, and names each that remains', async () => {
  const journal: string[] = [];
  const all = [
    createResource(journal, 'a'),
    createResource(journal, 'b', 'lies'),
    createResource(journal, 'c'),
    createResource(journal, 'd', 'throws'),
  ];
  await expect(removeResources('vm_1', all)).rejects.toThrow(
    'of vm_1 there remains: folder d (busy); folder b (it is still there)',
  );
  expect(journal).toEqual(['d', 'c', 'b', 'a']);
  expect((await findResources(all)).map(({ name }) => name)).toEqual(['b', 'd']);
});
