/**
 * Where this machine's control groups are: version 1 has a tree for each controller, version 2 one tree for all, and some machines have
 * both, with controllers in either. Pure functions over what /proc says.
 */
import { join, relative } from 'node:path';

/** One tree: what /proc calls it, where it is mounted, and which part of it that mount shows. */
export type CgroupTree = { version: 1 | 2; controllers: readonly string[]; dir: string; root: string };

/** `text`: /proc/self/mountinfo. A version 2 tree is given without controllers: its own file names them. */
export function parseCgroupTrees(text: string): CgroupTree[] {
  return text.split('\n').flatMap((line): CgroupTree[] => {
    const [mount = '', source = ''] = line.split(' - ');
    const [, , , root = '/', dir = ''] = mount.split(' ');
    const [type, , options = ''] = source.split(' ');
    if (type === 'cgroup2') return [{ version: 2, controllers: [], dir, root }];
    if (type === 'cgroup') return [{ version: 1, controllers: options.split(','), dir, root }];
    return [];
  });
}

/** The folder in which this process is. `text`: /proc/self/cgroup. Null when the mount does not show it. */
export function findOwnCgroup({ version, controllers, dir, root }: CgroupTree, text: string): string | null {
  const lines = text.split('\n').map((line) => /^(\d+):([^:]*):(.*)$/.exec(line)?.slice(1) ?? []);
  const own = lines.find(([number, names = '']) =>
    version === 2 ? number === '0' && names === '' : names.split(',').some((name) => controllers.includes(name)),
  );
  if (own?.[2] === undefined) return null;
  const below = relative(root, own[2]);
  return below.startsWith('..') ? null : join(dir, below);
}
