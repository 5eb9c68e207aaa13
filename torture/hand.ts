/**
 * The hand that kills: with SIGKILL, one thing after another, chosen by the seed among what runs at that moment. It goes on until its number
 * of kills is reached or its time is over. What it did is in the journal before it does it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { signalProcess } from '@vestibule/vm-manager/system/process-identity';
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
const PATIENCE_MS = 10_000;
/** Part of the kills that come when a login is on its way: where it hurts. */
const AIMED = 0.4;
const AIM_MS = 1_500;
/** Of the time given; then it is over, with fewer kills. */
const MOST_OVERTIME = 2;

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
  const leastPauseMs = totalMs / kills / 2;
  for (let done = 0; done < kills && !signal.aborted;) {
    // Evenly spread, each a little early or late; what is late is made up for.
    const dueAt = startedAt + ((done + random.next()) / kills) * totalMs;
    await delay(Math.max(leastPauseMs, dueAt - nowMs()));
    if (nowMs() > startedAt + totalMs * MOST_OVERTIME) break;
    const vmId = random.chance(AIMED) ? await awaitLogin(options, random.between(0, 150)) : null;
    const kind = random.weigh(WEIGHTS);
    if (!(await killOne(kind, vmId, options))) continue;
    counts[kind] += 1;
    options.onKill((done += 1));
  }
  return counts;
}

/** The VM in which a CLI has just left a login, so long ago; null when none did for a while. */
async function awaitLogin({ journal }: HandOptions, agoMs: number): Promise<string | null> {
  const vmId = await new Promise<string | null>((resolve) => {
    const unwatch = journal.watch((fact) => fact.type === 'cli_exits' && fact.exitCode === 0 && found(fact.vmId));
    const late = setTimeout(() => found(null), AIM_MS);
    const found = (result: string | null): void => {
      clearTimeout(late);
      unwatch();
      resolve(result);
    };
  });
  await delay(agoMs);
  return vmId;
}

/** False when nothing of the kind could be killed for a while. */
async function killOne(kind: KillKind, vmId: string | null, options: HandOptions): Promise<boolean> {
  if (await tryToKill(kind, vmId, options)) return true;
  for (const until = nowMs() + PATIENCE_MS; nowMs() < until && !options.signal.aborted; await delay(LOOK_AGAIN_MS))
    if (await tryToKill(kind, null, options)) return true;
  return false;
}

async function tryToKill(kind: KillKind, vmId: string | null, options: HandOptions): Promise<boolean> {
  const { controllers, database, random, dataDir, journal } = options;
  if (kind === 'postmaster') return database.kill();
  // Now and then it stays away longer than a silent host is waited for.
  if (kind === 'controller')
    return random.pick(controllers).kill(random.chance(0.06) ? random.between(3_000, 16_000) : 0);
  const [first, ...rest] = vmId === null ? listVms(dataDir) : [vmId];
  return first !== undefined && killVmPart(kind, dataDir, random.pick([first, ...rest]), journal);
}

function killVmPart(part: VmPart, dataDir: string, vmId: string, journal: Journal): boolean {
  const target = findVmPart(dataDir, vmId, part);
  if (target === null) return false;
  journal.begin(`${part}_killed`, { vmId }, `pid ${target.pid}`);
  signalProcess(target, 'SIGKILL');
  return true;
}
