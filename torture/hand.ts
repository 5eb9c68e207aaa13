/**
 * The hand that kills: with SIGKILL, one thing after another, chosen by the seed among what runs at that moment. It goes on until its number
 * of kills is reached or its time is over. What it did is in the journal before it does it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { signalProcess } from '@vestibule/vm-manager/process/process-identity';
import type { Controller } from './controllers.ts';
import type { Database } from './database.ts';
import { nowMs, type Journal, type KillKind } from './journal.ts';
import type { Randomness } from './randomness.ts';
import { findVmPart, listVms, type VmPart } from './vm-targets.ts';

const WEIGHTS: Readonly<Record<KillKind, number>> = {
  agent: 30,
  vm_init: 16,
  sandbox: 14,
  supervisor: 20,
  controller: 9,
  postmaster: 6,
};
/** When nothing of the kind runs. */
const LOOK_AGAIN_MS = 25;
const PATIENCE_MS = 3_000;

export type HandOptions = {
  kills: number;
  minutes: number;
  controllers: readonly [Controller, ...Controller[]];
  /** Of the controller whose VMs are processes. */
  dataDir: string;
  database: Database;
  journal: Journal;
  random: Randomness;
  signal: AbortSignal;
  onKill: (done: number) => void;
};

export type KillCounts = Record<KillKind, number>;

export async function killAtRandom(options: HandOptions): Promise<KillCounts> {
  const { kills, minutes, random, signal } = options;
  const counts: KillCounts = { agent: 0, vm_init: 0, sandbox: 0, supervisor: 0, controller: 0, postmaster: 0 };
  const startedAt = nowMs();
  const totalMs = minutes * 60_000;
  for (let done = 0; done < kills && !signal.aborted;) {
    // Evenly spread, each a little early or late; what is late is made up for.
    const dueAt = startedAt + ((done + random.next()) / kills) * totalMs;
    await delay(Math.max(LOOK_AGAIN_MS, dueAt - nowMs()));
    if (nowMs() > startedAt + totalMs * 1.5) break;
    const kind = random.weigh(WEIGHTS);
    if (!(await killOne(kind, options))) continue;
    counts[kind] += 1;
    options.onKill((done += 1));
  }
  return counts;
}

/** False when nothing of the kind could be killed for a while. */
async function killOne(kind: KillKind, options: HandOptions): Promise<boolean> {
  for (const until = nowMs() + PATIENCE_MS; nowMs() < until && !options.signal.aborted; await delay(LOOK_AGAIN_MS))
    if (await tryToKill(kind, options)) return true;
  return false;
}

async function tryToKill(
  kind: KillKind,
  { controllers, database, random, dataDir, journal }: HandOptions,
): Promise<boolean> {
  if (kind === 'postmaster') return database.kill();
  if (kind !== 'controller') return killVmPart(kind, dataDir, journal, random);
  // Now and then it stays away longer than a silent host is waited for.
  return random.pick(controllers).kill(random.chance(0.08) ? random.between(3_000, 16_000) : 0);
}

function killVmPart(part: VmPart, dataDir: string, journal: Journal, random: Randomness): boolean {
  const [first, ...rest] = listVms(dataDir);
  if (first === undefined) return false;
  const vmId = random.pick([first, ...rest]);
  const target = findVmPart(dataDir, vmId, part);
  if (target === null) return false;
  journal.begin(`${part}_killed`, { vmId }, `pid ${target.pid}`);
  signalProcess(target, 'SIGKILL');
  return true;
}
