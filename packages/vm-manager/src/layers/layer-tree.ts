/** Walks an installed layer: how large it is so far, and, once whole, takes it out of everybody's hands but root's or the user's own. */
import type { Dirent } from 'node:fs';
import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Entries that vanish meanwhile are left out. */
export async function measureBytes(dir: string): Promise<number> {
  const sizes = await Promise.all(
    (await listDir(dir)).map(async (entry) => {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) return measureBytes(path);
      return (await lstat(path).catch(() => null))?.size ?? 0;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function listDir(dir: string): Promise<Dirent[]> {
  return readdir(dir, { withFileTypes: true }).catch(() => []);
}

/** Owned by us, readable and (where it was) executable by everybody, writable and privileged for nobody else. Follows no symlink. */
export async function makeReadOnly(path: string): Promise<void> {
  const stat = await lstat(path);
  if (process.geteuid?.() === 0) await lchown(path, 0, 0);
  if (stat.isSymbolicLink()) return;
  const isExecutable = stat.isDirectory() || (stat.mode & 0o111) !== 0;
  await chmod(path, isExecutable ? 0o755 : 0o644);
  if (stat.isDirectory()) for (const name of await readdir(path)) await makeReadOnly(join(path, name));
}
