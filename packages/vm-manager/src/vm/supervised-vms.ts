/** Starts, finds and stops the supervisor of one VM. The folder's facts come first; the process table settles what they leave open. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { VmInspection } from '../runtime.ts';
import { settleAll } from '../settle-all.ts';
import {
  findProcessIdentity,
  isAlive,
  signalProcess,
  waitUntilGone,
  type ProcessIdentity,
} from '../system/process-identity.ts';
import { SYSTEM_PATH } from '../system/run-command.ts';
import type { VmFolders } from './vm-folders.ts';
import { findVmProcesses, type VmProcess } from './vm-processes.ts';

export type SupervisedVmsOptions = {
  folders: VmFolders;
  nodePath: string;
  supervisorEntry: string;
  /** Names of programs whose processes are a VM's when its id stands in their argv; for what nobody wrote down. */
  machinePrograms: readonly string[];
  /** What the supervisor gives the VM to end by itself before it kills it. */
  stopGraceMs: number;
};

/** The descriptor of the sandbox on which its supervisor reads what it reports. */
export const STATUS_FD = 3;
/** For writing the exit fact after that, on a busy machine. */
const SUPERVISOR_END_MS = 2000;
const KILL_MS = 5000;

export function createSupervisedVms(options: SupervisedVmsOptions) {
  const { folders, nodePath, supervisorEntry, machinePrograms, stopGraceMs } = options;
  const findProcesses = (): VmProcess[] =>
    findVmProcesses({ supervisorEntry, machinePrograms, isVmId: folders.isVmId });

  function findSupervisor(vmId: string): ProcessIdentity | null {
    const written = folders.findSupervisor(vmId)?.supervisor;
    if (written !== undefined) return isAlive(written) ? written : null;
    const found = findProcesses().find((entry) => entry.vmId === vmId && entry.role === 'supervisor');
    return found?.identity ?? null;
  }

  /** Whatever of the VM still lives, its supervisor included. */
  function findRemains(vmId: string): ProcessIdentity[] {
    const fact = folders.findSupervisor(vmId);
    const written = fact === null ? [] : [fact.supervisor, fact.machine, fact.guestInit];
    const found = findProcesses().filter((entry) => entry.vmId === vmId);
    const all = [...written, ...found.map(({ identity }) => identity)];
    return all.filter((identity) => identity !== null).filter(isAlive);
  }

  async function killRemains(vmId: string): Promise<void> {
    const deadline = performance.now() + KILL_MS;
    // Again until none is found: a process may have forked between being listed and being killed.
    for (let remains = findRemains(vmId); remains.length > 0; remains = findRemains(vmId)) {
      if (performance.now() > deadline)
        throw new Error(`processes of ${vmId} survive SIGKILL: ${remains.map(({ pid }) => pid).join(', ')}`);
      for (const identity of remains) signalProcess(identity, 'SIGKILL');
      await waitUntilGone(remains, 500);
    }
  }

  return {
    /**
     * Starts the supervisor at once and lets it start the VM when `ready` has resolved. When that rejects, nothing was started.
     * The VM's folder must be prepared and its spec written.
     */
    async start(vmId: string, ready: Promise<void>): Promise<void> {
      const dir = folders.dirOf(vmId);
      const log = openSync(join(dir, 'vm.log'), 'a', 0o600);
      const child = spawn(nodePath, [supervisorEntry, dir], {
        cwd: '/',
        detached: true,
        env: { PATH: SYSTEM_PATH },
        stdio: ['pipe', 'ignore', log],
      });
      closeSync(log);
      const gate = child.stdin as Writable;
      const spawned = once(child, 'spawn');
      // A supervisor that died early is found by `inspect`.
      gate.on('error', () => undefined);
      try {
        await settleAll([ready, spawned]);
        const supervisor = child.pid === undefined ? null : findProcessIdentity(child.pid);
        if (supervisor === null) throw new Error(`the supervisor of ${vmId} ended at once`);
        folders.writeSupervisor(vmId, { supervisor, machine: null, guestInit: null });
        gate.end('start\n');
      } catch (error) {
        gate.destroy();
        child.kill('SIGKILL');
        throw error;
      } finally {
        child.unref();
      }
    },

    inspect(vmId: string): VmInspection {
      if (!folders.exists(vmId)) return { state: 'missing' };
      const exit = folders.findExit(vmId);
      if (exit !== null) return { state: 'exited', exit };
      if (findSupervisor(vmId) !== null) return { state: 'running' };
      // It may have written the fact and ended between the two looks.
      const late = folders.findExit(vmId);
      if (late !== null) return { state: 'exited', exit: late };
      if (folders.findSupervisor(vmId) === null) return { state: 'missing' };
      const vanished = {
        exitCode: null,
        signal: null,
        reason: 'vanished with its supervisor',
        at: new Date().toISOString(),
      };
      folders.writeExit(vmId, vanished);
      return { state: 'exited', exit: vanished };
    },

    hasProcesses: (vmId: string): boolean => findRemains(vmId).length > 0,

    /** Asks the VM to end, has its supervisor observe how, kills what remains. Resolves when no process of it is left. */
    async stop(vmId: string): Promise<void> {
      const supervisor = findSupervisor(vmId);
      if (supervisor !== null) {
        signalProcess(supervisor, 'SIGTERM');
        await waitUntilGone([supervisor], stopGraceMs + SUPERVISOR_END_MS);
      }
      await killRemains(vmId);
    },

    /** Ids of VMs of which a process lives. */
    list: (): string[] => findProcesses().map(({ vmId }) => vmId),
  };
}
