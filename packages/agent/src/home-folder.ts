/** Empties the person's home, so that a sign-in that starts anew finds nothing of the one before. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

export async function emptyHome(home: string): Promise<void> {
  for (const name of await readdir(home)) await rm(join(home, name), { recursive: true, force: true, maxRetries: 3 });
}
