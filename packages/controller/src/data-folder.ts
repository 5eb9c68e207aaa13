/** The data folder: made on first start, owner-only but for the passage that the embedded database's own user needs. */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Secret } from '@vestibule/protocol/secret';

export type DataFolder = {
  dir: string;
  /** Short random name of this installation; part of the name of everything it creates on the machine. */
  installationId: string;
  operatorToken: Secret<string>;
  vmsDir: string;
  /** Logs and exit facts of VMs that are gone. */
  vmLogsDir: string;
  /** Of VMs of the runtime `firecracker`. */
  jailsDir: string;
  layersDir: string;
};

export class DataFolderError extends Error {
  constructor(dir: string, problem: string) {
    super(
      `The data folder ${dir} ${problem}. Make it writable for this user, or name another with VESTIBULE_DATA_DIR.`,
    );
    this.name = 'DataFolderError';
  }
}

/** Never leaves half a file: one that a full disk or a crash left empty counts as none. */
function readOrCreate(path: string, create: () => string): string {
  const found = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  if (found !== '') return found;
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${create()}\n`, { mode: 0o600, flush: true });
    rmSync(path, { force: true });
    try {
      linkSync(draft, path);
    } catch (error) {
      // Another start was first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(path, 'utf8').trim();
}

/** Throws `DataFolderError` when the folder cannot be made or written. */
export function openDataFolder(dir: string, givenToken: Secret<string> | null): DataFolder {
  try {
    const created = mkdirSync(dir, { recursive: true }) !== undefined;
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    // Root's database runs as another user, who must pass through but may list nothing.
    if (created) chmodSync(dir, process.getuid?.() === 0 ? 0o711 : 0o700);
    const folder = {
      dir,
      installationId: readOrCreate(join(dir, 'installation-id'), () => randomBytes(4).toString('hex')),
      operatorToken:
        givenToken ??
        new Secret(readOrCreate(join(dir, 'operator-token'), () => randomBytes(32).toString('base64url'))),
      vmsDir: join(dir, 'vms'),
      vmLogsDir: join(dir, 'logs', 'vms'),
      jailsDir: join(dir, 'jails'),
      layersDir: join(dir, 'layers'),
    };
    mkdirSync(folder.vmsDir, { recursive: true, mode: 0o711 });
    mkdirSync(folder.layersDir, { recursive: true, mode: 0o755 });
    return folder;
  } catch (error) {
    throw toDataFolderError(dir, error);
  }
}

/** In words, when it is the folder's fault; any other error comes back as it is. */
export function toDataFolderError(dir: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return new DataFolderError(dir, 'is not writable');
  if (code === 'ENOSPC') return new DataFolderError(dir, 'is on a full disk');
  if (code === 'ENOTDIR' || code === 'EEXIST') return new DataFolderError(dir, 'is not a folder');
  return error;
}
