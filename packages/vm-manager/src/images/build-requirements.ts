/** What a machine needs to build an image, looked for before anything is made; each lack with the command that ends it. */
import { accessSync, constants } from 'node:fs';
import { mkdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { SYSTEM_PATH } from '../system/run-command.ts';
import { ARCHIVE_KEYRING } from './debian-sources.ts';

/** Programs by the Debian package that has them. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  mmdebstrap: ['mmdebstrap'],
  apt: ['apt-get'],
  dpkg: ['dpkg-deb', 'dpkg-query'],
  bubblewrap: ['bwrap'],
  e2fsprogs: ['mkfs.ext4'],
  'util-linux': ['unshare', 'setpriv'],
  tar: ['tar'],
  lz4: ['lz4'],
  zstd: ['zstd'],
};

const GIB = 1024 ** 3;
/** Measured, and a third more. */
const NEEDED_BYTES = { base: 3 * GIB, image: 2.5 * GIB };

export async function requirePrograms(): Promise<void> {
  const packages = Object.entries(PROGRAMS)
    .filter(([, programs]) => !programs.every(isThere))
    .map(([name]) => name);
  if (!canRead(ARCHIVE_KEYRING, constants.R_OK)) packages.push('debian-archive-keyring');
  if (process.arch !== 'x64') throw new Error(`Images are made for amd64 only, and this machine is ${process.arch}.`);
  if (packages.length === 0) return;
  const apt = process.geteuid?.() === 0 ? 'apt-get' : 'sudo apt-get';
  throw new Error(
    `Programs are missing to build an image: ${packages.join(', ')}. Install them with\n  ${apt} update && ${apt} install -y --no-install-recommends ${packages.join(' ')}`,
  );
}

const isThere = (program: string): boolean =>
  SYSTEM_PATH.split(':').some((dir) => canRead(join(dir, program), constants.X_OK));

function canRead(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** Throws when the disk has not the space for what will be made. */
export async function requireSpace(dir: string, { needsBase }: { needsBase: boolean }): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const { bavail, bsize } = await statfs(dir);
  const needed = NEEDED_BYTES.image + (needsBase ? NEEDED_BYTES.base : 0);
  if (bavail * bsize >= needed) return;
  const toGib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;
  throw new Error(
    `An image needs ${toGib(needed)} of disk while it is built, and ${dir} has ${toGib(bavail * bsize)} left. ` +
      'Make room, or name another data folder with --data-dir.',
  );
}
