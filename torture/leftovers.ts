/**
 * What is left on the machine of the VMs of a run, once everything was to be gone: by the system's own word, not the product's. A process is
 * of this run when it names the run's folder, or lives in a VM, where the folder of the browser's stand-in is mounted.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '@vestibule/vm-manager/system/run-command';

/** What a controller that was stopped leaves in its data folder on purpose. */
const KEPT = new Set(['installation-id', 'operator-token', 'master-key', 'layers', 'logs', 'vms']);
const KEPT_LOG = /^vm_[\w-]+\.(?:log|exit\.json)$/;

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** @param marks paths that stand in the argument list or among the mounts of every process of the run */
export function findProcesses(marks: readonly string[], except: ReadonlySet<number>): string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || except.has(Number(name))) return [];
    const argv = readText(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
    const isOurs = marks.some(
      (mark) => argv.includes(mark) || readText(`/proc/${name}/mountinfo`).includes(` ${mark} `),
    );
    return isOurs && argv !== '' ? [`${name} ${argv.slice(0, 200)}`] : [];
  });
}

/** Files and folders that should not be there, below a controller's data folder. */
export function findFiles(dataDir: string): string[] {
  const list = (folder: string): string[] =>
    existsSync(join(dataDir, folder)) ? readdirSync(join(dataDir, folder)).map((name) => join(folder, name)) : [];
  const unknown = list('.').filter((name) => !KEPT.has(name));
  const vms = list('vms');
  const logs = list('logs/vms').filter((path) => !KEPT_LOG.test(path.slice('logs/vms/'.length)));
  const layers = list('layers').filter((path) => /\.(?:lock|partial)/.test(path));
  return [...unknown, ...vms, ...logs, ...layers].map((path) => join(dataDir, path));
}

/** Network namespaces and packet filter tables that carry the installation's id. */
export async function findNetworks(installationId: string): Promise<string[]> {
  const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  const tables = (await runCommand(['nft', 'list', 'tables']).catch(() => '')).split('\n');
  return [
    ...namespaces.filter((name) => name.startsWith(`vm_${installationId}_`)).map((name) => `/run/netns/${name}`),
    ...tables.filter((line) => line.includes(`vestibule_${installationId}`)),
  ];
}
