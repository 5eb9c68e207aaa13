/** What goes wrong besides kills: connections that stall, processes that freeze, disks that fill up, controllers that are restarted. */
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, signalProcess } from '@vestibule/vm-manager/system/process-identity';
import type { Controller } from './controllers.ts';
import type { DataDisk } from './data-disk.ts';
import { DISTURBANCES, type Disturbance, type Journal } from './journal.ts';
import type { Randomness } from './randomness.ts';
import type { StallingProxy } from './stalling-proxy.ts';
import { findVmPart, listVms } from './vm-targets.ts';

/** A controller with what lies between it and the world. */
export type Place = { controller: Controller; proxy: StallingProxy; disk: DataDisk };

export type DisturberOptions = {
  places: readonly [Place, ...Place[]];
  journal: Journal;
  random: Randomness;
  signal: AbortSignal;
};

export type DisturbanceCounts = Record<Disturbance, number>;

const PAUSE_MS = { least: 2_000, most: 8_000 };
const WEIGHTS: Readonly<Record<Disturbance, number>> = {
  connection_stalled: 4,
  controller_frozen: 3,
  agent_frozen: 5,
  disk_filled: 2,
  controller_restarted: 1,
};

/** One after the other, until the signal; each is over when this resolves. */
export async function disturb({ places, journal, random, signal }: DisturberOptions): Promise<DisturbanceCounts> {
  const counts = Object.fromEntries(DISTURBANCES.map((kind) => [kind, 0])) as DisturbanceCounts;
  const pause = (): Promise<void> =>
    delay(random.between(PAUSE_MS.least, PAUSE_MS.most), undefined, { signal }).catch(() => undefined);
  for (await pause(); !signal.aborted; await pause()) {
    const kind = random.weigh(WEIGHTS);
    if (await disturbOnce(kind, random.pick(places), journal, random)) counts[kind] += 1;
  }
  return counts;
}

async function disturbOnce(kind: Disturbance, place: Place, journal: Journal, random: Randomness): Promise<boolean> {
  const { controller } = place;
  switch (kind) {
    case 'controller_restarted':
      return controller.restart();
    case 'controller_frozen':
      return controller.freeze(random.between(500, 4_000));
    case 'connection_stalled':
      return stall(place, random.between(500, 5_000), journal);
    case 'disk_filled':
      return fillDisk(place, random.between(1_000, 4_000), journal);
    case 'agent_frozen':
      return freezeAgent(place, random.between(500, 5_000), journal, random);
    default:
      return kind satisfies never;
  }
}

async function stall({ controller, proxy }: Place, forMs: number, journal: Journal): Promise<boolean> {
  const { hostId } = controller;
  if (!controller.isWell || hostId === null) return false;
  const end = journal.begin('connection_stalled', { hostId }, controller.name);
  proxy.stall();
  await delay(forMs);
  proxy.resume();
  end();
  return true;
}

async function fillDisk({ controller, disk }: Place, forMs: number, journal: Journal): Promise<boolean> {
  const end = journal.begin('disk_filled', 'nothing', controller.name);
  disk.fill();
  await delay(forMs);
  disk.free();
  end();
  return true;
}

async function freezeAgent(
  { controller }: Place,
  forMs: number,
  journal: Journal,
  random: Randomness,
): Promise<boolean> {
  const [first, ...rest] = listVms(controller.dataDir);
  if (first === undefined) return false;
  const vmId = random.pick([first, ...rest]);
  const agent = findVmPart(controller.dataDir, vmId, 'agent');
  if (agent === null) return false;
  const end = journal.begin('agent_frozen', { vmId }, `pid ${agent.pid}`);
  signalProcess(agent, 'SIGSTOP');
  await delay(forMs);
  if (isAlive(agent)) signalProcess(agent, 'SIGCONT');
  end();
  return true;
}
