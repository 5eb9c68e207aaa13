/**
 * Creates the cluster at the first start: beside its place, roles and database included, and then renamed into it, so that a
 * crash leaves nothing half-made and of two starters at once one wins. Later starts check that it is one we can run.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError, toProgramError } from './embedded-postgres-error.ts';
import type { ClusterFolder } from './cluster-folder.ts';
import type { ServerPackage, ServerPrograms } from './server-binaries.ts';
import { APP_ROLE, DATABASE, OWNER_ROLE } from './server-config.ts';
import type { ServerUser } from './server-user.ts';
import { giveTo } from './server-user.ts';

/** No superuser can log in (pg_hba.conf names two roles); it exists because initdb needs one. */
const SUPERUSER = 'vestibule_superuser';
/** A first start takes seconds; what is older was left by a crash. */
const STALE_MS = 3_600_000;

export type NewCluster = {
  folder: ClusterFolder;
  serverPackage: ServerPackage;
  programs: ServerPrograms;
  user: ServerUser;
  /** For tests, which clone databases: the product's owner role creates none. */
  ownerCreatesDatabases: boolean;
};

async function run(user: ServerUser, program: string, args: string[], input: string): Promise<void> {
  const output: Buffer[] = [];
  const exit = await new Promise<number | string | null>((resolve, reject) => {
    const identity = user.isOther ? { uid: user.uid, gid: user.gid } : {};
    const child = spawn(program, args, {
      ...identity,
      cwd: '/',
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
      stdio: 'pipe',
    });
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    // A program that ends without reading its input says why on stderr; EPIPE here would hide it.
    child.stdin.on('error', () => undefined);
    child.on('error', (cause) => {
      const hint = 'Is the data folder on a file system mounted noexec?';
      reject(new EmbeddedPostgresError('start_failed', `Running ${program} failed: ${cause.message}. ${hint}`, cause));
    });
    child.on('close', (code, signal) => resolve(code ?? signal));
    child.stdin.end(input);
  });
  if (exit !== 0) throw toProgramError(`${basename(program)} (exit ${exit})`, Buffer.concat(output).toString());
}

async function makeCluster(cluster: NewCluster, data: string): Promise<void> {
  const { programs, user } = cluster;
  await mkdir(data, { mode: 0o700 });
  await giveTo(user, data);
  const options = ['--auth=reject', '--encoding=UTF8', '--locale=C', '--data-checksums', '--no-instructions'];
  await run(user, programs.initdb, [`--pgdata=${data}`, `--username=${SUPERUSER}`, ...options], '');
  const statements = [
    `create role ${OWNER_ROLE} login ${cluster.ownerCreatesDatabases ? 'createdb' : ''}`,
    `create role ${APP_ROLE} login`,
    `create database ${DATABASE} owner ${OWNER_ROLE}`,
    `revoke all on database ${DATABASE} from public`,
    `grant connect on database ${DATABASE} to ${APP_ROLE}`,
    // Lets tests use the owner as the one login of an external database.
    ...(cluster.ownerCreatesDatabases ? [`grant ${APP_ROLE} to ${OWNER_ROLE}`] : []),
  ];
  const single = ['--single', '-D', data, '-c', 'exit_on_error=on', '-c', 'log_checkpoints=off', 'postgres'];
  await run(user, programs.postgres, single, `${statements.join('\n')}\n`);
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeStale(folder: ClusterFolder): Promise<void> {
  for (const name of await readdir(folder.root)) {
    const path = join(folder.root, name);
    if (!name.includes('.new-')) continue;
    const age = await stat(path).then(
      (found) => Date.now() - found.mtimeMs,
      () => 0,
    );
    if (age > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}

async function createCluster(cluster: NewCluster): Promise<void> {
  const { data } = cluster.folder;
  await removeStale(cluster.folder);
  const fresh = `${data}.new-${randomBytes(6).toString('hex')}`;
  try {
    await makeCluster(cluster, fresh);
    await rename(fresh, data).catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    });
    await syncFolder(dirname(data));
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function readMajor(folder: ClusterFolder): Promise<string | null> {
  try {
    return (await readFile(join(folder.data, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
}

async function assertOurs(cluster: NewCluster, major: string): Promise<void> {
  const { folder, serverPackage, user } = cluster;
  const { uid } = await stat(folder.data);
  if (uid !== user.uid) {
    throw new EmbeddedPostgresError(
      'foreign_owner',
      `The database in ${folder.data} belongs to the user with id ${uid}, but PostgreSQL would run as ${user.name} (${user.uid}). ` +
        'Start Vestibule as the same user as before, or choose another data folder with VESTIBULE_DATA_DIR.',
    );
  }
  if (major !== serverPackage.major) {
    throw new EmbeddedPostgresError(
      'version_mismatch',
      `The database in ${folder.data} was made by PostgreSQL ${major}, and this Vestibule brings PostgreSQL ${serverPackage.major}. ` +
        'Start it with the Vestibule release that made it, or choose an empty data folder with VESTIBULE_DATA_DIR.',
    );
  }
}

/** After it, `folder.data` holds a whole cluster of our user and major version. */
export async function ensureCluster(cluster: NewCluster): Promise<void> {
  const { folder } = cluster;
  if ((await readMajor(folder)) === null) await createCluster(cluster);
  const major = await readMajor(folder);
  if (major === null) {
    throw new EmbeddedPostgresError('start_failed', `${folder.data} exists but holds no database: move it away.`);
  }
  await assertOurs(cluster, major);
}
