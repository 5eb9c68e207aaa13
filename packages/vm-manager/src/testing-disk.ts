/** What a folder really takes of its disk: blocks, not lengths, so that a sparse file counts for what is in it. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const BLOCK_BYTES = 512;

/** MiB, with whatever is mounted below it. 0 when there is no such folder. */
export async function findDiskMib(dir: string): Promise<number> {
  const names = await readdir(dir, { recursive: true }).catch(() => []);
  const stats = await Promise.all(names.map((name) => lstat(join(dir, name)).catch(() => null)));
  return stats.reduce((sum, stat) => sum + (stat?.blocks ?? 0) * BLOCK_BYTES, 0) / (1024 * 1024);
}
