/**
 * One set-up at a time in a clone: two first starts must not run `npm ci` over each other. The lock is a file that appears whole
 * (by link) and names its holder; the lock of a holder that died is taken over.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 250;

/**
 * The start time of a process in clock ticks, so that a reused pid is not mistaken for the holder; '' where there is no /proc.
 * @param {number} pid
 */
function readStartTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** @param {number} pid */
function exists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {string} content */
function isHeld(content) {
  const [pid = '', startTime = ''] = content.trim().split(' ');
  return exists(Number(pid)) && readStartTime(Number(pid)) === startTime;
}

/** @param {string} file */
function readIfPresent(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/**
 * True when the lock was free or its holder dead, and is ours now.
 * @param {string} file
 * @param {string} mine
 */
function tryTake(file, mine) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, mine);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Moves a dead holder's lock away; puts it back when another process was quicker and the one moved is alive.
 * @param {string} file
 */
function clearDead(file) {
  const content = readIfPresent(file);
  if (content === null || isHeld(content)) return;
  const moved = `${file}.dead.${process.pid}`;
  try {
    renameSync(file, moved);
    if (isHeld(readIfPresent(moved) ?? '')) linkSync(moved, file);
  } catch {
    // another process cleared it first
  } finally {
    rmSync(moved, { force: true });
  }
}

/**
 * Runs `work` while holding the lock.
 * @template T
 * @param {string} dir the folder for the lock, made when missing
 * @param {(pid: string) => void} onWait called once when another process holds it
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withSetupLock(dir, onWait, work) {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'setup.lock');
  const mine = `${process.pid} ${readStartTime(process.pid)}`;
  let told = false;
  while (!tryTake(file, mine)) {
    const holder = readIfPresent(file);
    if (holder !== null && !isHeld(holder)) {
      clearDead(file);
    } else {
      if (!told && holder !== null) onWait(holder.split(' ')[0] ?? '');
      told ||= holder !== null;
      await delay(POLL_MS);
    }
  }
  const release = () => {
    if (readIfPresent(file) === mine) rmSync(file, { force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}
