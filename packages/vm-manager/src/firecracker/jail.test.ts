import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { listJails, prepareJail, removeJail, toHostPath, toJail, toJailId } from './jail.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-jail-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('names a jail by its VM in the letters that the jailer takes', () => {
  expect(toJailId('vm_t12ab_0f9c')).toBe('vm-t12ab-0f9c');
  expect(toJail('/data/jails', '/usr/local/bin/firecracker', 'vm_a_b').root).toBe(
    '/data/jails/firecracker/vm-a-b/root',
  );
  for (const vmId of ['vm_a/../b', `vm_${'x'.repeat(64)}`, 'vm.a', ''])
    expect(() => toJailId(vmId)).toThrow(/cannot be the id of a jail/);
});

it('makes a jail anew, and removes it without following what its owner put there', async () => {
  const jail = toJail(dir, 'firecracker', 'vm_a_b');
  const bystander = join(dir, 'bystander');
  mkdirSync(bystander);
  writeFileSync(join(bystander, 'file'), 'stays');
  await prepareJail(jail, ['/vmlinux']);
  symlinkSync(bystander, toHostPath(jail, '/run'));
  writeFileSync(toHostPath(jail, '/old'), '');
  await prepareJail(jail, ['/vmlinux']);
  expect(existsSync(toHostPath(jail, '/old'))).toBe(false);
  expect(readFileSync(toHostPath(jail, '/vmlinux'), 'utf8')).toBe('');
  symlinkSync(bystander, toHostPath(jail, '/run'));
  await removeJail(jail);
  await removeJail(jail);
  expect(existsSync(jail.dir)).toBe(false);
  expect(readFileSync(join(bystander, 'file'), 'utf8')).toBe('stays');
});

it("lists an installation's own jails by their VMs", async () => {
  for (const vmId of ['vm_mine_1', 'vm_mine_2', 'vm_mines_3', 'vm_other_4'])
    await prepareJail(toJail(join(dir, 'jails'), 'firecracker', vmId), []);
  expect((await listJails(join(dir, 'jails'), '/opt/firecracker', 'mine')).toSorted()).toEqual([
    'vm_mine_1',
    'vm_mine_2',
  ]);
  expect(await listJails('/nowhere', '/opt/firecracker', 'mine')).toEqual([]);
});
