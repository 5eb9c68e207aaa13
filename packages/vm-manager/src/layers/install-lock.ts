/**
 * Keeps two processes from doing the same installation at once. Only work is saved by it: the rename at the end of an installation is
 * what makes it right. A lock whose holder has died is taken over.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { findProcessIdentity, isAlive, type ProcessIdentity } from '../system/process-identity.ts';

const POLL_MS = 250;
const holderSchema = z.object({ pid: z.number().int(), startTime: z.string() });

/** Resolves to the release once it is ours. `onWait` is called each time another process is found to hold it. */
export async function lockInstall(path: string, onWait: () => void): Promise<() => Promise<void>> {
  const self = findProcessIdentity(process.pid) ?? { pid: process.pid, startTime: '' };
  while (!(await take(path, self))) {
    const holder = findHolder(path);
    if (holder !== null && isAlive(holder)) {
      onWait();
      await delay(POLL_MS);
    } else {
      await seize(path);
    }
  }
  return () => rm(path, { force: true });
}

/** The lock appears with its holder in it, or not at all. */
async function take(path: string, holder: ProcessIdentity): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(draft);
  }
}

/** Removes a lock whose holder has died, but puts back one that another has taken since we looked. */
async function seize(path: string): Promise<void> {
  const seized = `${path}.${randomUUID()}`;
  const moved = await rename(path, seized).then(
    () => true,
    () => false,
  );
  if (!moved) return;
  const holder = findHolder(seized);
  if (holder !== null && isAlive(holder)) await link(seized, path).catch(() => undefined);
  await rm(seized);
}

/** Null when the lock is gone. */
function findHolder(path: string): ProcessIdentity | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}
