/** Which control groups are taken, and what is written to them, on machines of either version. */
import { expect, it } from 'vitest';
import { findCgroupLayout, toLimitFiles } from './vm-cgroup.ts';

const v1 = (...controllers: string[]) => ({
  version: 1 as const,
  controllers,
  dir: `/cg/${controllers[0]}`,
  root: '/',
});
const v2 = { version: 2 as const, controllers: [], dir: '/cg/unified', root: '/' };
const offers = (text: string) => (path: string) => (path === '/cg/unified/cgroup.controllers' ? `${text}\n` : '');

it('takes version 2 where it has the controllers', () => {
  expect(findCgroupLayout([v2], offers('cpuset cpu io memory hugetlb pids'))).toEqual({
    version: 2,
    dirs: { memory: '/cg/unified', pids: '/cg/unified', cpu: '/cg/unified' },
  });
});
it('takes the trees of version 1 where they have them, though version 2 is mounted beside', () => {
  expect(findCgroupLayout([v1('memory'), v1('cpu', 'cpuacct'), v1('pids'), v2], offers('hugetlb'))).toEqual({
    version: 1,
    dirs: { memory: '/cg/memory', pids: '/cg/pids', cpu: '/cg/cpu' },
  });
});
it('takes none where one controller is missing', () => {
  expect(findCgroupLayout([v1('memory'), v1('pids')], offers(''))).toBeNull();
  expect(findCgroupLayout([v2], offers('memory pids'))).toBeNull();
});
it.each([
  [1, ['memory.limit_in_bytes=1073741824', 'pids.max=99', 'cpu.cfs_quota_us=150000']],
  [2, ['memory.max=1073741824', 'memory.swap.max=0', 'pids.max=99', 'cpu.max=150000 100000']],
] as const)('limits memory, processes and processor in version %i', (version, expected) => {
  const files = toLimitFiles(version, { memoryMib: 1024, pids: 99, cpus: 1.5 });
  expect(files.map(({ name, value }) => `${name}=${value}`)).toEqual(expect.arrayContaining([...expected]));
});
