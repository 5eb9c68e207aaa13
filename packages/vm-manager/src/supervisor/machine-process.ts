/** What every kind of machine does with its outermost process: starts it as one that the kernel may end first, and waits for its end. */
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { MachineEnd } from './machine.ts';
import { spawnInCgroups } from './spawn-in-cgroups.ts';

const LOG_END_MS = 500;
/** The kernel ends VMs before the machine's own services when memory runs out. */
const OOM_SCORE = 500;

/** `spawn` must have started the process when it returns. */
export function spawnMachine(cgroups: readonly string[], spawn: () => ChildProcess): ChildProcess {
  return spawnInCgroups(cgroups, () => {
    // Children inherit it; a process may always go back to where it was.
    setOomScore(OOM_SCORE);
    const child = spawn();
    setOomScore(0);
    return child;
  });
}

function setOomScore(score: number): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', String(score));
  } catch {
    // Only a preference.
  }
}

/** With its whole log read, which is not worth waiting for without end. Rejects when it could not be started. */
export function waitForEnd(child: ChildProcess): Promise<MachineEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => {
      child.once('close', () => resolve({ exitCode, signal }));
      setTimeout(() => resolve({ exitCode, signal }), LOG_END_MS);
    });
  });
}

/** As bubblewrap tells it of a process in it, or of itself. */
export function isDeathByKill({ exitCode, signal }: MachineEnd): boolean {
  return signal === 'SIGKILL' || exitCode === 128 + constants.signals.SIGKILL;
}
