/**
 * The folder of each VM on this host, which outlives every process and is the truth about it:
 *   spec.json        what was asked for, and the argv that starts it
 *   supervisor.json  the supervisor and the VM's init, each by pid and start time
 *   exit.json        how it ended; written once, by the supervisor
 *   vm.log(.1)       what it printed, bounded
 *   etc/, run/       its part of /etc; its sockets (`run-folder.ts`)
 * After `destroy` the log and the exit fact are kept in the logs folder, for the newest VMs.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { vmExitSchema, type VmExit } from '@vestibule/protocol/vm';
import type { VmSpec } from '../runtime.ts';
import type { Launch } from '../supervisor/launch.ts';
import { writeFact, writeFactDurably } from '../system/fact-file.ts';
import { mountRunFolder, unmountRunFolder } from './run-folder.ts';

const identitySchema = z.object({ pid: z.number().int(), startTime: z.string() });
const supervisorFactSchema = z.object({
  supervisor: identitySchema,
  /** The outermost process of the VM on this machine (bubblewrap, qemu, firecracker), once there is one. */
  machine: identitySchema.nullable(),
  /** Process 1 of the VM's process namespace, where it has one here: when it is gone, the kernel has ended all others of the VM. */
  guestInit: identitySchema.nullable(),
});
export type SupervisorFact = z.infer<typeof supervisorFactSchema>;

/** What `spec.json` holds; the supervisor reads `launch` alone. */
export type SupervisedSpec = { spec: VmSpec; createdAt: string; launch: Launch };

/** Two files each. Removing starts a little above, so that not every destruction has to look at all of them. */
const KEPT_FILES = 400;
const MOST_FILES = 500;

export type VmFoldersOptions = {
  vmsDir: string;
  logsDir: string;
  installationId: string;
  /** How exits are written; `fake` VMs, which end with their process anyway, need no disk flush. Default: durably. */
  writeExit?: (path: string, content: string) => void;
};
export type VmFolders = ReturnType<typeof createVmFolders>;

export function createVmFolders(options: VmFoldersOptions) {
  const { vmsDir, logsDir, installationId, writeExit = writeFactDurably } = options;
  const isVmId = (name: string): boolean => name.startsWith(`vm_${installationId}_`) && /^[\w-]{1,80}$/.test(name);

  /** Throws on an id that is not of this installation: it becomes part of paths and names. */
  function dirOf(vmId: string): string {
    if (!isVmId(vmId)) throw new Error(`not the id of a VM of this installation: ${JSON.stringify(vmId)}`);
    return join(vmsDir, vmId);
  }
  const keptExit = (vmId: string): string => join(logsDir, `${vmId}.exit.json`);

  return {
    isVmId,
    dirOf,
    exists: (vmId: string): boolean => existsSync(dirOf(vmId)),

    /** Makes the folder anew. `owner`: the uid the VM runs as when it is not our own. */
    async prepare(vmId: string, etc: Readonly<Record<string, string>>, owner: number | null): Promise<void> {
      const dir = dirOf(vmId);
      await unmountRunFolder(join(dir, 'run'));
      await rm(dir, { recursive: true, force: true });
      await mkdir(join(dir, 'run'), { recursive: true, mode: 0o700 });
      // The VM reads these, as another user than root.
      await mkdir(join(dir, 'etc'), { mode: 0o755 });
      await Promise.all([
        ...Object.entries(etc).map(([name, text]) => writeFile(join(dir, 'etc', name), text, { mode: 0o644 })),
        ...(owner === null ? [] : [mountRunFolder(join(dir, 'run'), owner)]),
      ]);
    },

    writeSpec: (spec: SupervisedSpec): void => writeFact(join(dirOf(spec.spec.vmId), 'spec.json'), toText(spec)),
    writeSupervisor: (vmId: string, fact: SupervisorFact): void =>
      writeFact(join(dirOf(vmId), 'supervisor.json'), toText(fact)),
    findSupervisor: (vmId: string): SupervisorFact | null =>
      findJson(join(dirOf(vmId), 'supervisor.json'), supervisorFactSchema),

    writeExit: (vmId: string, exit: VmExit): void => writeExit(join(dirOf(vmId), 'exit.json'), toText(exit)),
    findExit: (vmId: string): VmExit | null => findJson(join(dirOf(vmId), 'exit.json'), vmExitSchema),
    /** The exit of a VM that was destroyed earlier, while its log is kept. */
    findKeptExit: (vmId: string): VmExit | null => findJson(keptExit(vmId), vmExitSchema),

    /** What the VM printed so far or, once it is removed, what is kept of that; null when nothing is. */
    async findLog(vmId: string): Promise<string | null> {
      const dir = dirOf(vmId);
      const halves = await Promise.all(['vm.log.1', 'vm.log'].map((name) => findText(join(dir, name))));
      const text = halves.filter((half) => half !== null).join('');
      return text === '' ? findText(join(logsDir, `${vmId}.log`)) : text;
    },

    /** Keeps log and exit, then removes the folder. Idempotent. */
    async remove(vmId: string): Promise<void> {
      const dir = dirOf(vmId);
      if (!existsSync(dir)) return;
      await unmountRunFolder(join(dir, 'run'));
      await mkdir(logsDir, { recursive: true, mode: 0o700 });
      await joinLogs(dir);
      await moveIfThere(join(dir, 'vm.log'), join(logsDir, `${vmId}.log`));
      await moveIfThere(join(dir, 'exit.json'), keptExit(vmId));
      await rm(dir, { recursive: true, force: true });
      await pruneLogs(logsDir);
    },

    async list(): Promise<string[]> {
      return (await readdir(vmsDir).catch(() => [])).filter(isVmId);
    },
  };
}

const toText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Null when the file is absent or, after a power cut, empty. */
function findJson<T>(path: string, schema: z.ZodType<T>): T | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  return text === '' ? null : schema.parse(JSON.parse(text));
}

async function findText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}

/** The older half of the log goes before the newer one. */
async function joinLogs(dir: string): Promise<void> {
  const [older, newer] = [join(dir, 'vm.log.1'), join(dir, 'vm.log')];
  if (!existsSync(older)) return;
  appendFileSync(older, await readFile(newer).catch(() => ''));
  await rename(older, newer);
}

async function moveIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function pruneLogs(logsDir: string): Promise<void> {
  const names = await readdir(logsDir);
  if (names.length <= MOST_FILES) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(logsDir, name)).catch(() => null))?.mtimeMs ?? 0 })),
  );
  const old = aged.toSorted((a, b) => b.at - a.at).slice(KEPT_FILES);
  await Promise.all(old.map(({ name }) => rm(join(logsDir, name), { force: true })));
}
