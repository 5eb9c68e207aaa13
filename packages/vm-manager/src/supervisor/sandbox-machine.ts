/** A VM that is a tree of processes below bubblewrap. */
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { findProcessIdentity, signalProcess, type ProcessIdentity } from '../system/process-identity.ts';
import { SYSTEM_PATH } from '../system/run-command.ts';
import { STATUS_FD } from '../vm/supervised-vms.ts';
import { hasRunOutOfMemory } from '../vm/vm-cgroup.ts';
import { findFirstProcess } from './guest-processes.ts';
import type { SandboxLaunch } from './launch.ts';
import type { Machine, MachineEnd, MachineHooks } from './machine.ts';
import { spawnInCgroups } from './spawn-in-cgroups.ts';

const LOG_END_MS = 500;
const LOOK_AGAIN_MS = 20;
/** The kernel ends VMs before the machine's own services when memory runs out. */
const OOM_SCORE = 500;

export function startSandboxMachine(launch: SandboxLaunch, { log, report }: MachineHooks): Machine {
  const child = spawnInCgroups(launch.cgroups, () => startSandbox(launch.argv));
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

/** As bubblewrap tells it of a process in it, or of itself. */
function isDeathByKill({ exitCode, signal }: MachineEnd): boolean {
  return signal === 'SIGKILL' || exitCode === 128 + constants.signals.SIGKILL;
}

function startSandbox(argv: readonly string[]): ChildProcess {
  const [program = '', ...args] = argv;
  // Children inherit it; a process may always go back to where it was.
  setOomScore(OOM_SCORE);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: { PATH: SYSTEM_PATH } });
  setOomScore(0);
  return child;
}

function setOomScore(score: number): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', String(score));
  } catch {
    // Only a preference.
  }
}

function waitForEnd(child: ChildProcess): Promise<MachineEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => {
      // After `close` the whole log was read, too; it is not worth waiting for without end.
      child.once('close', () => resolve({ exitCode, signal }));
      setTimeout(() => resolve({ exitCode, signal }), LOG_END_MS);
    });
  });
}
