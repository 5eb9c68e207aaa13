/**
 * Everything on this machine that carries an installation's name, whoever made it and whether anybody wrote it down: what a destroyed VM
 * must have left nothing of. Compared before and after by the tests of every runtime.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProcessIdentity } from './system/process-identity.ts';
import { tryCommand } from './system/run-command.ts';

export type TraceQuery = {
  installationId: string;
  /** The test's own folder: mounts below it are traces, too. */
  dir: string;
  /** Folders of which every entry is a trace: VM folders, jails, sockets. */
  folders: readonly string[];
};

const CGROUPS_DIR = '/sys/fs/cgroup';
/** Of nested folders: controller, a container engine's or a service's, the installation's, the VM's. */
const CGROUP_DEPTH = 6;

/** One line each, sorted: processes, mounts, named network namespaces, network devices, packet filter tables, cgroups, files. */
export async function findTraces({ installationId, dir, folders }: TraceQuery): Promise<string[]> {
  const listings = await Promise.all([
    toLines(['nft', 'list', 'tables']),
    toLines(['ip', 'netns', 'list']),
    toLines(['ip', '-o', 'link', 'show', 'type', 'veth']),
    toLines(['ip', '-o', 'link', 'show', 'type', 'tun']),
  ]);
  const system = [...listings.flat(), ...read('/proc/self/mountinfo').split('\n')].filter(
    (line) => line.includes(installationId) || line.includes(dir),
  );
  return [
    ...findProcesses(`vm_${installationId}_`),
    ...system,
    ...findCgroups(CGROUPS_DIR, installationId, CGROUP_DEPTH),
    ...folders.flatMap((folder) => entriesOf(folder).map((name) => join(folder, name))),
  ].toSorted();
}

/** By argv and environment, so that those nobody wrote down are seen, too. */
function findProcesses(mark: string): string[] {
  return entriesOf('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid) && findProcessIdentity(Number(name)) !== null)
    .map((name) => ({ name, said: `${read(`/proc/${name}/cmdline`)} ${read(`/proc/${name}/environ`)}` }))
    .filter(({ said }) => said.includes(mark))
    .map(({ name }) => `process ${name}`);
}

function findCgroups(dir: string, mark: string, depth: number): string[] {
  if (depth === 0) return [];
  return foldersIn(dir).flatMap((name) => {
    const path = join(dir, name);
    return [...(name.includes(mark) ? [`cgroup ${path}`] : []), ...findCgroups(path, mark, depth - 1)];
  });
}

function foldersIn(dir: string): string[] {
  try {
    const entries = readdirSync(dir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return [];
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function toLines(argv: string[]): Promise<string[]> {
  const result = await tryCommand(argv).catch(() => null);
  return result?.stdout.split('\n') ?? [];
}
