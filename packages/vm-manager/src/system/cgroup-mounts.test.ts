/** Finding control groups, as machines of either version, both, and containers show them. */
import { expect, it } from 'vitest';
import { findOwnCgroup, parseCgroupTrees } from './cgroup-mounts.ts';

const V1 = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
37 31 0:34 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
38 31 0:35 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro shared:9 - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const OWN = '9:name=systemd:/\n7:memory:/jobs/one\n3:cpu,cpuacct:/docker/abc/two\n0::/user.slice\n';

it('finds the tree of each controller, and the one of version 2 beside them', () => {
  const found = parseCgroupTrees(V1).map(({ version, controllers, dir }) => [version, controllers.at(-1), dir]);
  expect(found).toEqual([
    [1, 'memory', '/sys/fs/cgroup/memory'],
    [1, 'cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
    [2, undefined, '/sys/fs/cgroup/unified'],
  ]);
});
it('finds where this process is, also where a mount shows a part of a tree', () => {
  expect(parseCgroupTrees(V1).map((tree) => findOwnCgroup(tree, OWN))).toEqual([
    '/sys/fs/cgroup/memory/jobs/one',
    '/sys/fs/cgroup/cpu,cpuacct/two',
    '/sys/fs/cgroup/unified/user.slice',
  ]);
});
it('finds none where the mount shows another part, or the tree is not told', () => {
  const [, part] = parseCgroupTrees(V1);
  if (part === undefined) throw new Error('no tree');
  expect(findOwnCgroup(part, '3:cpu,cpuacct:/\n')).toBeNull();
  expect(findOwnCgroup(part, '0::/\n')).toBeNull();
});
