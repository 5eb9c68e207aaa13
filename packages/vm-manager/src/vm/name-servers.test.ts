/** Which resolver a VM is given. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { findNameServers } from './name-servers.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-dns-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const stub = file('stub', '# systemd-resolved\nnameserver 127.0.0.53\noptions edns0\n');
const real = file('real', 'nameserver 192.0.2.53\nnameserver 2001:db8::53\nnameserver not-an-address\n');

it('prefers what the operator set', async () => {
  expect(await findNameServers({ configured: ['9.9.9.9'], sharedLoopback: false, files: [real] })).toEqual(['9.9.9.9']);
});
it('passes over resolvers that a VM with its own network cannot reach', async () => {
  expect(await findNameServers({ configured: [], sharedLoopback: false, files: [stub, real] })).toEqual(['192.0.2.53']);
});
it('uses a resolver on the loopback that the VM shares', async () => {
  expect(await findNameServers({ configured: [], sharedLoopback: true, files: [stub, real] })).toEqual(['127.0.0.53']);
});
it('finds none when there is none', async () => {
  expect(await findNameServers({ configured: [], sharedLoopback: false, files: [stub, join(dir, 'absent')] })).toEqual(
    [],
  );
});
