import { expect, test } from 'vitest';
import { hasDefaultRoute } from './network-check.ts';

const HEAD = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n';

test('knows a default route from another', () => {
  expect(hasDefaultRoute(`${HEAD}eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\n`)).toBe(true);
  expect(hasDefaultRoute(`${HEAD}eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n`)).toBe(false);
  expect(hasDefaultRoute('')).toBe(false);
});
