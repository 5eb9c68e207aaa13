/**
 * A disk that loses at a power cut what it was not told to keep. Two loop devices, one in the other:
 *
 *   file system of the product ─ loop device ─ file `disk` ─ outer file system ─ loop device ─ the medium, a file
 *
 * What the product's file system has not written is in its own page cache. What it wrote without asking for a flush is in the outer page
 * cache, as in the volatile cache of a disk. Only a flush (`fsync` to its end) brings it to the medium, or the kernel when it pleases. A
 * copy of the medium is therefore what a machine finds after the cut. Needs root and loop devices, and mounts that no other namespace
 * copies: a file system that stays mounted there would go on writing to the medium.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const DISK_MIB = 640;
const MEDIUM_MIB = 800;
/** All written when it is made: nothing is left for the kernel to do later, in a moment that is copied. */
const MKFS = ['-q', '-F', '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0'];
/** A device that was just let go of is busy for a moment; a busy machine's moment is long. */
const ATTEMPTS = 600;
const STEP_MS = 50;

export type Device = {
  /** Where the product's file system is mounted. */
  mount: string;
  /** Everything written so far is kept, whatever is done to it later. */
  sync(): Promise<void>;
  /** Copies the medium as it is at one moment. Call it while nobody writes. */
  capture(target: string): Promise<void>;
  /** Writes what is pending to this medium, which nobody looks at any more, and lets go of everything. */
  remove(): Promise<void>;
};

/** Why there can be no such device here, in words; null when there can. */
export function findObstacle(): string | null {
  if (process.getuid?.() !== 0) return 'Cutting the power of a disk takes root. Run it as root.';
  if (!existsSync('/dev/loop-control')) return 'This machine has no loop devices (/dev/loop-control).';
  return null;
}

async function attach(file: string): Promise<string> {
  const { stdout } = await run('losetup', ['--find', '--show', file]);
  return stdout.trim();
}

/** A device that something still holds would write to its file later, under whoever uses that file then. */
async function detach(loop: string): Promise<void> {
  await run('losetup', ['--detach', loop]);
  const isAttached = (): boolean => existsSync(`/sys/block/${basename(loop)}/loop`);
  for (let attempt = 1; isAttached(); attempt += 1) {
    if (attempt === ATTEMPTS)
      throw new Error(`${loop} is still in use: is its file system mounted in another namespace?`);
    await wait(STEP_MS);
  }
}

async function unmount(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await run('umount', [folder]);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await wait(STEP_MS);
    }
  }
}

/** How much has been written to a loop device so far, and how many requests are on their way. */
function readTraffic(loop: string): { written: string; inFlight: number } {
  // Documentation/block/stat.rst, counted from 0: 4 writes, 6 sectors written, 8 requests in flight, 15 flushes.
  const fields = readFileSync(`/sys/block/${basename(loop)}/stat`, 'utf8')
    .trim()
    .split(/\s+/);
  return { written: [fields[4], fields[6], fields[15]].join(' '), inFlight: Number(fields[8]) };
}

/** @param noFlush the product's file system never asks for a flush */
export async function openDevice(folder: string, medium: string, noFlush: boolean): Promise<Device> {
  const [outer, mount] = [join(folder, 'outer'), join(folder, 'mount')];
  for (const each of [outer, mount]) mkdirSync(each, { recursive: true });
  const releases: (() => Promise<unknown>)[] = [];
  const remove = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const release of releases.splice(0).toReversed())
      await release().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, `the disk below ${folder} could not be let go of`);
  };
  const mountLoop = async (file: string, at: string, options: string): Promise<string> => {
    const loop = await attach(file);
    releases.push(() => detach(loop));
    await run('mount', ['-o', options, loop, at]);
    releases.push(() => unmount(at));
    return loop;
  };
  try {
    const loop = await mountLoop(medium, outer, 'noatime');
    await mountLoop(join(outer, 'disk'), mount, noFlush ? 'noatime,nobarrier' : 'noatime');
    return {
      mount,
      async sync() {
        for (const each of [mount, outer]) await run('sync', ['--file-system', each]);
      },
      capture: (target) => capture(loop, medium, target),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A copy of two moments would be no state that a disk is ever in: a later write might be in it, and an earlier one not. */
async function capture(loop: string, medium: string, target: string): Promise<void> {
  for (;;) {
    const before = readTraffic(loop);
    if (before.inFlight === 0) {
      await run('cp', ['--sparse=always', medium, target]);
      const after = readTraffic(loop);
      // Otherwise the kernel wrote something by itself meanwhile.
      if (after.inFlight === 0 && after.written === before.written) return;
    }
    await wait(STEP_MS);
  }
}

/** An empty disk on a new medium. */
export async function createMedium(folder: string, medium: string): Promise<void> {
  const outer = join(folder, 'outer');
  mkdirSync(outer, { recursive: true });
  await run('truncate', ['--size', `${MEDIUM_MIB}M`, medium]);
  await run('mkfs.ext4', [...MKFS, medium]);
  const loop = await attach(medium);
  try {
    await run('mount', [loop, outer]);
    try {
      const disk = join(outer, 'disk');
      await run('dd', ['if=/dev/zero', `of=${disk}`, 'bs=1M', `count=${DISK_MIB}`, 'conv=fsync']);
      await run('mkfs.ext4', [...MKFS, disk]);
    } finally {
      await unmount(outer);
    }
  } finally {
    await detach(loop);
  }
}
