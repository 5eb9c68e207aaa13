import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { DEFAULT_VM_LIMITS } from '../vm/vm-limits.ts';
import { createJailCgroups } from './jail-cgroups.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-cgroups-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const dirs = { memory: join(dir, 'memory'), pids: join(dir, 'pids'), cpu: join(dir, 'memory') };

it('says each limit in the words of the version, with room for Firecracker itself', () => {
  const limits = { ...DEFAULT_VM_LIMITS, memoryMib: 1024, pids: 99, cpus: 1.5 };
  expect(createJailCgroups({ version: 1, dirs }).toSettings(limits)).toEqual([
    `memory.limit_in_bytes=${1280 * 1024 * 1024}`,
    'pids.max=99',
    'cpu.cfs_period_us=100000',
    'cpu.cfs_quota_us=150000',
  ]);
  expect(createJailCgroups({ version: 2, dirs }).toSettings(limits)).toEqual([
    `memory.max=${1280 * 1024 * 1024}`,
    'pids.max=99',
    'cpu.max=150000 100000',
  ]);
});

it("finds a VM's cgroups in every tree, removes them, and leaves those of others", async () => {
  const cgroups = createJailCgroups({ version: 1, dirs });
  for (const path of ['memory/vm_a_1/vm-a-1', 'pids/vm_a_1', 'pids/vm_a_2/vm-a-2', 'pids/other'])
    mkdirSync(join(dir, path), { recursive: true });
  expect((await cgroups.list((name) => name.startsWith('vm_a_'))).toSorted()).toEqual(['vm_a_1', 'vm_a_2']);
  await cgroups.remove('vm_a_1');
  await cgroups.remove('vm_a_1');
  expect([cgroups.exists('vm_a_1'), cgroups.exists('vm_a_2')]).toEqual([false, true]);
  expect(readdirSync(join(dir, 'pids')).toSorted()).toEqual(['other', 'vm_a_2']);
});
