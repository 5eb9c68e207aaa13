/**
 * A Linux process, named so that a reused pid is never mistaken for it: pid and start time (field 22 of /proc/PID/stat).
 * Nothing here signals a process whose start time differs.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export type ProcessIdentity = { pid: number; startTime: string };

const POLL_MS = 5;

/** Null when there is no such process, or only its zombie. */
export function findProcessIdentity(pid: number): ProcessIdentity | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The second field is the program's name in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (startTime === undefined || state === 'Z' || state === 'X') return null;
  return { pid, startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return findProcessIdentity(identity.pid)?.startTime === identity.startTime;
}

/** Does nothing when the process is gone; throws only what is not "gone" (EPERM). */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (identity.pid <= 1 || !isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether all of them were gone before the time ran out. */
export async function waitUntilGone(identities: readonly ProcessIdentity[], timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (identities.some(isAlive)) {
    if (performance.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}
