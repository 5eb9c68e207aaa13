/**
 * What lies in `<dataDir>/postgres`, file by file. As root, `data` and the socket folder belong to the server's own system user
 * and everything else to root; as an ordinary user everything is that user's.
 */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export type ClusterFolder = {
  dataDir: string;
  /** `<dataDir>/postgres`: may be passed through by the server's user, listed by nobody else. */
  root: string;
  /** PGDATA, 0700. It exists if and only if the cluster was created whole, roles and database included. */
  data: string;
  /** postgresql.conf, pg_hba.conf, pg_ident.conf: rewritten before each start, no secrets. */
  config: string;
  /** The socket's folder, 0700: `run`, or a folder below the system's temporary one when the path would be too long. */
  run: string;
  /** What the server says, 0600, bounded (`server-log.ts`). */
  log: string;
};

export const PORT = 5432;

/** sockaddr_un.sun_path without its NUL: 108 bytes on Linux, 104 on macOS. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${PORT}`)) <= MAX_SOCKET_PATH_BYTES;
}

/** @param givenDataDir should be a real path, so that two names of one folder give one socket folder. */
export function toClusterFolder(givenDataDir: string): ClusterFolder {
  const dataDir = resolve(givenDataDir);
  const root = join(dataDir, 'postgres');
  const own = join(root, 'run');
  const elsewhere = join(tmpdir(), `vestibule-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`);
  return {
    dataDir,
    root,
    data: join(root, 'data'),
    config: join(root, 'config'),
    run: fits(own) ? own : elsewhere,
    log: join(root, 'server.log'),
  };
}
