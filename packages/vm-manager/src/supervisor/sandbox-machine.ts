/** A VM that is a tree of processes below bubblewrap. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { findProcessIdentity, signalProcess, type ProcessIdentity } from '../system/process-identity.ts';
import { SYSTEM_PATH } from '../system/run-command.ts';
import { STATUS_FD } from '../vm/supervised-vms.ts';
import { hasRunOutOfMemory } from '../vm/vm-cgroup.ts';
import { findFirstProcess } from './guest-processes.ts';
import type { SandboxLaunch } from './launch.ts';
import { isDeathByKill, spawnMachine, waitForEnd } from './machine-process.ts';
import type { Machine, MachineHooks } from './machine.ts';

const LOOK_AGAIN_MS = 20;

export function startSandboxMachine(launch: SandboxLaunch, { log, report }: MachineHooks): Machine {
  const child = spawnMachine(launch.cgroups, () => startSandbox(launch.argv));
  const sandbox = child.pid === undefined ? null : findProcessIdentity(child.pid);
  let guestInit: ProcessIdentity | null = null;
  let isKilled = false;
  report({ machine: sandbox });
  child.stdout?.on('data', log);
  child.stderr?.on('data', log);
  createInterface({ input: child.stdio[STATUS_FD] as Readable }).on('line', (line) => {
    const pid = (JSON.parse(line) as { 'child-pid'?: number })['child-pid'];
    if (pid === undefined) return;
    guestInit = findProcessIdentity(pid);
    report({ guestInit });
  });

  /** A first process that is not found has not been started yet, or has just ended, and how is about to be seen: nobody kills it then. */
  function askToEnd(): void {
    const first = sandbox === null ? null : findFirstProcess(sandbox, launch.namespaceDepth);
    if (first === null) setTimeout(askToEnd, LOOK_AGAIN_MS).unref();
    else signalProcess(first, 'SIGTERM');
  }
  return {
    ended: waitForEnd(child).then((end) => {
      const isOutOfMemory = !isKilled && isDeathByKill(end) && hasRunOutOfMemory(launch.cgroups);
      return isOutOfMemory ? { ...end, words: `killed: it used more than ${launch.memoryMib} MiB of memory` } : end;
    }),
    askToEnd,
    kill() {
      isKilled = true;
      const root = guestInit ?? sandbox;
      if (root !== null) signalProcess(root, 'SIGKILL');
    },
  };
}

function startSandbox([program = '', ...args]: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: { PATH: SYSTEM_PATH } });
}
