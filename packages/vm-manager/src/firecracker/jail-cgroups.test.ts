import { expect, it } from 'vitest';
import { DEFAULT_VM_LIMITS } from '../vm/vm-limits.ts';
import { findCgroupLayout, toCgroupSettings } from './jail-cgroups.ts';

const V1 = ['memory', 'pids', 'cpu,cpuacct'].map(
  (name) => `cgroup /sys/fs/cgroup/${name} cgroup rw,relatime,${name} 0 0`,
);
const V2 = 'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0';
const HYBRID = 'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0';
const all = (): string => 'cpuset cpu io memory hugetlb pids\n';
const few = (): string => 'hugetlb\n';

it('takes version 1 where its controllers are, also beside a version 2 without any', () => {
  const hierarchies = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/cpu,cpuacct'];
  expect(findCgroupLayout(V1.join('\n'), few)).toEqual({ version: 1, hierarchies });
  expect(findCgroupLayout([...V1, HYBRID].join('\n'), few)).toEqual({ version: 1, hierarchies });
});

it('takes version 2 where it offers them, and nothing where neither does', () => {
  expect(findCgroupLayout(`proc /proc proc rw 0 0\n${V2}\n`, all)).toEqual({
    version: 2,
    hierarchies: ['/sys/fs/cgroup'],
  });
  expect(findCgroupLayout(V2, few)).toBeNull();
  expect(findCgroupLayout(`${V1[0]}\n${HYBRID}`, few)).toBeNull();
  expect(findCgroupLayout('', few)).toBeNull();
});

it('says each limit in the words of the version, with room for Firecracker itself', () => {
  const limits = { ...DEFAULT_VM_LIMITS, memoryMib: 1024, pids: 99, cpus: 1.5 };
  expect(toCgroupSettings({ version: 1, hierarchies: [] }, limits)).toEqual([
    `memory.limit_in_bytes=${1280 * 1024 * 1024}`,
    'pids.max=99',
    'cpu.cfs_period_us=100000',
    'cpu.cfs_quota_us=150000',
  ]);
  expect(toCgroupSettings({ version: 2, hierarchies: [] }, limits)).toEqual([
    `memory.max=${1280 * 1024 * 1024}`,
    'pids.max=99',
    'cpu.max=150000 100000',
  ]);
});
