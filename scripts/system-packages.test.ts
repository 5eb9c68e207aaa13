import { expect, it } from 'vitest';
import { findAbilities, listSystemPackages, RUNTIMES } from './system-packages.mjs';

const PROCESS = ['chromium', 'xtigervnc', 'openbox', 'fonts', 'bubblewrap', 'network'];

it('gives the default runtime what it needs and nothing of the others', () => {
  const names = listSystemPackages(['process']).map(({ name }) => name);
  expect(names).toContain('chromium');
  for (const other of ['podman', 'qemu-system-x86', 'mmdebstrap']) expect(names).not.toContain(other);
  expect(listSystemPackages(['fake'])).toEqual([]);
});

it('names a package once that several runtimes need', () => {
  const names = listSystemPackages(RUNTIMES).map(({ name }) => name);
  expect(names.filter((name) => name === 'nftables')).toEqual(['nftables']);
  expect(new Set(names).size).toBe(names.length);
});

it('demands of the machine of a root test run all that the packages give, by the runtimes’ names too', () => {
  expect(findAbilities([], true, ['process'])).toEqual([...PROCESS, 'process', 'root']);
  expect(findAbilities([], true, ['qemu', 'firecracker'])).toEqual([
    'qemu_programs',
    'network',
    'image',
    'bubblewrap',
    'qemu',
    'firecracker',
    'root',
  ]);
});

it('demands nothing that a missing package would give', () => {
  expect(findAbilities(['nftables', 'fonts-noto-core'], true, ['process'])).toEqual([
    'chromium',
    'xtigervnc',
    'openbox',
    'bubblewrap',
    'root',
  ]);
  const abilities = findAbilities(['podman'], true, ['container', 'firecracker']);
  expect(abilities).toEqual(['network', 'image', 'bubblewrap', 'firecracker', 'root']);
});

it('counts a package for every requirement that it is part of', () => {
  const abilities = findAbilities([], true, ['process', 'qemu']);
  expect(abilities).toEqual([...PROCESS, 'qemu_programs', 'image', 'process', 'qemu', 'root']);
  const without = findAbilities(['bubblewrap'], true, ['process', 'qemu']);
  for (const id of ['bubblewrap', 'image', 'process', 'qemu']) expect(without).not.toContain(id);
});

it('demands no network of its own without root, nor a runtime that needs one', () => {
  expect(findAbilities([], false, ['process'])).toEqual(PROCESS.filter((id) => id !== 'network'));
  const all = listSystemPackages(['process']).map(({ name }) => name);
  expect(findAbilities(all, false, ['process'])).toEqual([]);
});
