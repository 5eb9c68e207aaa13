/** Cgroups as the jailer makes them: `<hierarchy>/<parent>/<id>`, its settings written, this process put into it. Removes nothing. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type JailerCgroups = { id: string; parent: string; version: string; settings: readonly string[] };

export function joinCgroups({ id, parent, version, settings }: JailerCgroups): void {
  if (/^\/|(^|\/)\.\.?(\/|$)/.test(parent))
    throw new Error("Parent cgroup path is invalid. Path should not be absolute or contain '..' or '.'");
  if (version !== '1' && version !== '2') throw new Error(`${version} is an invalid cgroup version specifier`);
  const joined = new Set<string>();
  for (const setting of settings) {
    const [file = '', value = '', more] = setting.split('=');
    if (value === '' || more !== undefined) throw new Error(`Invalid format for cgroups: ${setting}`);
    const [controller = '', property] = file.split('.');
    if (property === undefined || file.includes('/')) throw new Error(`Cgroup invalid file: ${file}`);
    const hierarchy = findHierarchy(version, controller);
    const dir = join(hierarchy, parent, id);
    mkdirSync(dir, { recursive: true });
    if (version === '2') enableController(hierarchy, parent, controller);
    try {
      writeFileSync(join(dir, file), `${value}\n`);
    } catch (error) {
      throw new Error(`Failed to write to ${join(dir, file)}: ${(error as Error).message}`, { cause: error });
    }
    joined.add(dir);
  }
  for (const dir of joined) writeFileSync(join(dir, version === '1' ? 'tasks' : 'cgroup.procs'), `${process.pid}\n`);
}

function findHierarchy(version: '1' | '2', controller: string): string {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const found = mounts.find(([, , type, options = '']) =>
    version === '2' ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes(controller),
  );
  if (found?.[1] === undefined) throw new Error(`Controller ${controller} is unavailable`);
  return found[1];
}

function enableController(hierarchy: string, parent: string, controller: string): void {
  for (const dir of [hierarchy, join(hierarchy, parent)])
    writeFileSync(join(dir, 'cgroup.subtree_control'), `+${controller}\n`);
}
