/**
 * The system user PostgreSQL runs as: ourselves, or, since PostgreSQL refuses to run as root, an unprivileged user of its own
 * (never the `postgres` of a PostgreSQL that the machine may have besides).
 */
import { execFile } from 'node:child_process';
import { chmod, chown, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { UserInfo } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';

const SYSTEM_USER = 'vestibule-postgres';
/** Ours is not passed on: it may hold secrets, and useradd is not on every PATH. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

const run = promisify(execFile);

export type ServerUser = {
  name: string;
  uid: number;
  gid: number;
  /** Another user than ours: files must be handed over with `giveTo`, programs started with `uid` and `gid`. */
  isOther: boolean;
};

async function findSystemUser(): Promise<ServerUser | null> {
  const found = await run('getent', ['passwd', SYSTEM_USER], { env: ENVIRONMENT }).catch(() => null);
  const [name, , uid, gid] = found?.stdout.trim().split(':') ?? [];
  if (name !== SYSTEM_USER || !uid || !gid) return null;
  return { name, uid: Number(uid), gid: Number(gid), isOther: true };
}

async function createSystemUser(): Promise<ServerUser> {
  const args = [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    SYSTEM_USER,
  ];
  const failure = await run('useradd', args, { env: ENVIRONMENT }).then(
    () => null,
    (error: unknown) => error,
  );
  // Another starter may have created it in the same moment, so the answer of useradd alone decides nothing.
  const user = await findSystemUser();
  if (user !== null) return user;
  throw new EmbeddedPostgresError(
    'no_system_user',
    `PostgreSQL does not run as root, and creating its system user failed. Create it, then start again: useradd ${args.join(' ')}\n` +
      'Or start Vestibule as an ordinary user, or set DATABASE_URL to use a PostgreSQL of your own.',
    failure,
  );
}

function findOwnUser(): UserInfo<string> {
  try {
    return userInfo();
  } catch (error) {
    throw new EmbeddedPostgresError(
      'no_system_user',
      `The user id ${process.getuid?.()} has no name on this system (a container with --user?), and PostgreSQL needs one. ` +
        'Add it to /etc/passwd, or set DATABASE_URL to use a PostgreSQL of your own.',
      error,
    );
  }
}

/** As root, creates the system user at the first start. */
export async function findServerUser(): Promise<ServerUser> {
  const { uid, gid, username } = findOwnUser();
  if (uid !== 0) return { name: username, uid, gid, isOther: false };
  return (await findSystemUser()) ?? (await createSystemUser());
}

export async function giveTo(user: ServerUser, path: string): Promise<void> {
  if (user.isOther) await chown(path, user.uid, user.gid);
}

async function canPass(user: ServerUser, folder: string): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder);
  if (uid === user.uid) return (mode & 0o100) !== 0;
  if (gid === user.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}

/**
 * Makes sure that the server's user can pass through `dataDir` and the folders above it. The data folder itself is opened for
 * passing through (not for listing) where it is closed; folders above it are the operator's and are never changed.
 */
export async function ensureReachable(user: ServerUser, dataDir: string): Promise<void> {
  if (!user.isOther) return;
  for (let folder = dirname(dataDir), below = dataDir; folder !== below; below = folder, folder = dirname(folder)) {
    if (await canPass(user, folder)) continue;
    throw new EmbeddedPostgresError(
      'folder_unreachable',
      `PostgreSQL runs as the user ${user.name}, who cannot enter ${folder}, so not the data folder ${dataDir} either. ` +
        'Choose another data folder with VESTIBULE_DATA_DIR (such as /var/lib/vestibule), or start Vestibule as an ordinary user.',
    );
  }
  if (await canPass(user, dataDir)) return;
  const { mode } = await stat(dataDir);
  await chmod(dataDir, (mode & 0o7777) | 0o001);
}
