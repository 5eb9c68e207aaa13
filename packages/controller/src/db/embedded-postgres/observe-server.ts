/** What the server of a folder is doing now: by postmaster.pid, the process table and an attempt to log in. Changes nothing. */
import pg from 'pg';
import type { ClusterFolder } from './cluster-folder.ts';
import { PORT } from './cluster-folder.ts';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { readProcessState } from './process-state.ts';
import { APP_ROLE, DATABASE } from './server-config.ts';

const CONNECT_MS = 5_000;

async function probe(socketFolder: string): Promise<'ready' | 'busy' | 'silent'> {
  const client = new pg.Client({
    host: socketFolder,
    port: PORT,
    user: APP_ROLE,
    database: DATABASE,
    connectionTimeoutMillis: CONNECT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return 'ready';
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === '57P03') return 'busy';
    if (code === '53300') return 'ready';
    if (code === undefined || ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01'].includes(code))
      return 'silent';
    throw new EmbeddedPostgresError(
      'not_answering',
      `The database at ${socketFolder} lets nobody in: ${(error as Error).message}.`,
      error,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

export type Observation =
  | { state: 'absent' }
  /** `foreign`: the id belongs to a program that is no PostgreSQL, as after a restart of the machine. */
  | { state: 'foreign' | 'zombie' | 'busy' | 'silent'; pid: number }
  | { state: 'ready'; pid: number; socketFolder: string };

export async function observeServer(folder: ClusterFolder): Promise<Observation> {
  const file = await readPostmasterFile(folder.data);
  if (file === null) return { state: 'absent' };
  const { pid, socketFolder } = file;
  const process = await readProcessState(pid);
  switch (process) {
    case 'missing':
      return { state: 'absent' };
    case 'zombie':
      return { state: 'zombie', pid };
    case 'other':
      return { state: 'foreign', pid };
    case 'postgres': {
      if (socketFolder === null) return { state: 'silent', pid };
      const state = await probe(socketFolder);
      return state === 'ready' ? { state, pid, socketFolder } : { state, pid };
    }
    default:
      return process satisfies never;
  }
}
