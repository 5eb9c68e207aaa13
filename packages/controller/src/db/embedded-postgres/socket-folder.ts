/** The folder of the server's socket: only the server's user (and root) may enter it, so nobody else reaches the socket. */
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import type { ServerUser } from './server-user.ts';
import { giveTo } from './server-user.ts';

/** A folder below /tmp has a name that others can guess: one that they made is refused, not used. */
export async function ensureSocketFolder(folder: string, user: ServerUser): Promise<void> {
  const isNew = await mkdir(folder, { mode: 0o700 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      return false;
    },
  );
  if (isNew) await giveTo(user, folder);
  const found = await lstat(folder);
  // Root, interrupted between making the folder and giving it away, does the second step now.
  const isUnfinished = user.isOther && found.uid === process.getuid?.();
  if (!found.isDirectory() || (found.uid !== user.uid && !isUnfinished)) {
    throw new EmbeddedPostgresError(
      'foreign_owner',
      `The socket of the database belongs into ${folder}, but that was made by another user (id ${found.uid}). Remove it and start again.`,
    );
  }
  await chmod(folder, 0o700);
  if (isUnfinished) await giveTo(user, folder);
}
