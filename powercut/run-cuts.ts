/** Cuts the power again and again, each time on the disk that the cut before left, as one machine's life goes. */
import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startProgram } from '../bench/support/child-program.ts';
import type { Controller, ControllerAnswer, ControllerRequest } from './controller.ts';
import { createMedium, openDevice, type Device } from './device.ts';
import { readJournal } from './journal.ts';
import { freeze, killAll, readPostmasterPid } from './power.ts';

export type Disk = {
  /** PostgreSQL's own setting; off must lose what was acknowledged, or this proves nothing. */
  fsync: boolean;
  /** The file system asks for no flush: a disk's volatile cache is lost too, in spite of `fsync`. */
  noFlush: boolean;
};

export type CutsResult = {
  cuts: number;
  acknowledged: number;
  lost: number;
  /** Cuts after which the database did not start; all acknowledged counts as lost then. */
  broken: number;
};

const CLIENTS = 8;
/** The first ones are acknowledged by then, on a slow machine too. */
const FIRST_MS = 60_000;
const SHORTEST_MS = 500;
const SPREAD_MS = 2_500;

async function waitForFirst(journal: string, sizeBefore: number): Promise<void> {
  const until = performance.now() + FIRST_MS;
  while ((existsSync(journal) ? statSync(journal).size : 0) <= sizeBefore) {
    if (performance.now() > until) throw new Error(`nothing was acknowledged within ${FIRST_MS} ms`);
    await wait(5);
  }
}

/** Starts the controller, which looks for what was acknowledged; kills it when the database does not start. */
async function startController(dataDir: string, journal: string, fsync: boolean) {
  const controller: Controller = startProgram<ControllerRequest, ControllerAnswer>(
    new URL('./controller.ts', import.meta.url),
  );
  try {
    return { controller, found: await controller.ask({ kind: 'start', dataDir, journal, fsync }) };
  } catch (error) {
    await controller.stop();
    return { controller: null, error };
  }
}

async function writeUntilCut(controller: Controller, device: Device, journal: string, image: string): Promise<void> {
  const sizeBefore = existsSync(journal) ? statSync(journal).size : 0;
  await controller.ask({ kind: 'write', clients: CLIENTS });
  await waitForFirst(journal, sizeBefore);
  await wait(SHORTEST_MS + Math.random() * SPREAD_MS);
  const frozen = await freeze(controller.pid, readPostmasterPid(join(device.mount, 'data')));
  await device.capture(image);
  await killAll(frozen);
}

/** @param folder for media, mounts and the journal; removed by the caller */
export async function runCuts(folder: string, cuts: number, disk: Disk): Promise<CutsResult> {
  const [medium, image, journal] = ['medium', 'image', 'journal'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await createMedium(folder, medium);
  const result: CutsResult = { cuts, acknowledged: 0, lost: 0, broken: 0 };
  for (let cut = 0; cut <= cuts; cut += 1) {
    const device = await openDevice(folder, medium, disk.noFlush);
    try {
      const { controller, found, error } = await startController(join(device.mount, 'data'), journal, disk.fsync);
      const acknowledged = readJournal(journal).length;
      Object.assign(result, { acknowledged, lost: found?.lost ?? acknowledged });
      if (controller === null) {
        console.error(`After cut ${cut} the database did not start:`, error);
        return { ...result, cuts: cut, broken: 1 };
      }
      if (result.lost > 0) cuts = cut;
      // A control's disk is as good as new when it is written to: only what is acknowledged from then on is at stake.
      if (!disk.fsync || disk.noFlush) await device.sync();
      if (cut === cuts) {
        await controller.ask({ kind: 'stop' });
        await controller.stop();
      } else await writeUntilCut(controller, device, journal, image);
    } finally {
      await device.remove();
    }
    if (cut < cuts) renameSync(image, medium);
  }
  return { ...result, cuts };
}
