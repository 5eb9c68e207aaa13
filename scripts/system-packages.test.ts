import { expect, it } from 'vitest';
import { SYSTEM_PACKAGES, findAbilities } from './system-packages.mjs';

it('demands of the machine of a root test run all that the packages give', () => {
  expect(findAbilities([], true)).toEqual([
    'chromium',
    'xtigervnc',
    'openbox',
    'fonts',
    'bubblewrap',
    'network',
    'root',
  ]);
});

it('demands nothing that a missing package would give, and no network of its own without root', () => {
  expect(findAbilities(['nftables', 'fonts-noto-core'], true)).toEqual([
    'chromium',
    'xtigervnc',
    'openbox',
    'bubblewrap',
    'root',
  ]);
  expect(findAbilities([], false)).toEqual(['chromium', 'xtigervnc', 'openbox', 'fonts', 'bubblewrap']);
  const all = SYSTEM_PACKAGES.map(({ name }) => name);
  expect(findAbilities(all, false)).toEqual([]);
});
