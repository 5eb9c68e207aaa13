/** Stops processes between two instructions and ends them without a word, as a power cut does. Finds the database's processes by itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const STEP_MS = 5;
const PATIENCE_MS = 60_000;

type Process = { state: string; parent: number };

/** Null when there is no such process. */
function findProcess(pid: number): Process | null {
  try {
    // proc(5): the name stands in parentheses and may hold anything.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}

function listChildren(pid: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((each) => findProcess(each)?.parent === pid);
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function waitFor(isSo: () => boolean, what: string): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > until) throw new Error(`waited ${PATIENCE_MS} ms for nothing: ${what}`);
    await wait(STEP_MS);
  }
}

const isStopped = (pid: number): boolean => ['T', 't', 'Z', 'X'].includes(findProcess(pid)?.state ?? 'X');
const isGone = (pid: number): boolean => ['Z', 'X'].includes(findProcess(pid)?.state ?? 'X');

/** The server of the cluster below `dataDir`. */
export function readPostmasterPid(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

/** Resolves when neither the controller nor any process of its database does anything more; returns them all. */
export async function freeze(controller: number, postmaster: number): Promise<number[]> {
  // Its children first would give it time to start others.
  const frozen = [controller, postmaster];
  for (const pid of frozen) signal(pid, 'SIGSTOP');
  await waitFor(() => frozen.every(isStopped), 'the servers stop');
  const children = listChildren(postmaster);
  for (const pid of children) signal(pid, 'SIGSTOP');
  // One that is inside a system call that writes ends that first.
  await waitFor(() => children.every(isStopped), 'the processes of the database stop');
  return [...frozen, ...children];
}

export async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGKILL');
  await waitFor(() => pids.every(isGone), 'killed processes end');
}
