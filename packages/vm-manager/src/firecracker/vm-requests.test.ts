import { expect, it } from 'vitest';
import { DEFAULT_VM_LIMITS } from '../vm/vm-limits.ts';
import { toVcpuCount, toVmRequests } from './vm-requests.ts';

const DISKS = [
  { id: 'root', path: '/root.img', readOnly: true },
  { id: 'config', path: '/config.img', readOnly: true },
];

it('asks for one processor or an even number, never less than the limit', () => {
  expect([0.5, 1, 1.2, 2, 3, 4, 31, 64].map(toVcpuCount)).toEqual([1, 1, 2, 2, 4, 4, 32, 32]);
});

it('starts the VM last, with the drives in the order in which the guest finds them', () => {
  const requests = toVmRequests({ ...DEFAULT_VM_LIMITS, memoryMib: 1500 }, DISKS);
  const paths = requests.map(({ path }) => path);
  expect(paths.at(-1)).toBe('/actions');
  expect(paths.filter((path) => path.startsWith('/drives/'))).toEqual(['/drives/root', '/drives/config']);
  expect(requests).toContainEqual({ path: '/machine-config', body: { vcpu_count: 2, mem_size_mib: 1500 } });
});

it('lets no drive be written to, and limits what each device may move', () => {
  const bodies = toVmRequests(DEFAULT_VM_LIMITS, DISKS).map(({ path, body }) => ({ path, text: JSON.stringify(body) }));
  const devices = bodies.filter(({ path }) => /^\/(drives|network-interfaces|entropy)/.test(path));
  expect(devices.length).toBe(4);
  for (const { text } of devices) expect(text).toContain('rate_limiter":{"bandwidth":{"size":');
  for (const { text } of bodies.filter(({ path }) => path.startsWith('/drives')))
    expect(text).toContain('"is_read_only":true');
});

it('has the guest restart by the keyboard controller, the one reset that ends Firecracker, also after a panic', () => {
  const boot = toVmRequests(DEFAULT_VM_LIMITS, DISKS).find(({ path }) => path === '/boot-source');
  expect(JSON.stringify(boot?.body)).toMatch(/console=ttyS0 reboot=k panic=1 /);
});
