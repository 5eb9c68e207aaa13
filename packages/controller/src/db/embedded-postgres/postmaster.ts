/**
 * The running server. It is detached: it outlives us, whatever ends us, and the next start adopts it. Whether it runs, starts,
 * stops or has just died is asked of postmaster.pid, the process table and the socket, again at every step.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '../../telemetry/logger.ts';
import type { ClusterFolder } from './cluster-folder.ts';
import { EmbeddedPostgresError, toProgramError } from './embedded-postgres-error.ts';
import { observeServer } from './observe-server.ts';
import type { Observation } from './observe-server.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { readProcessState } from './process-state.ts';
import { boundServerLog, openServerLog, readServerLog } from './server-log.ts';
import type { ServerUser } from './server-user.ts';

const STEP_MS = 20;
const RETRY_MS = 200;
/** For a server that shows no sign of life, and for one that says it is starting (crash recovery) or stopping. */
const SILENT_MS = 60_000;
const BUSY_MS = 900_000;

export type ServerContext = {
  folder: ClusterFolder;
  user: ServerUser;
  /** Makes sure that program, configuration and cluster are there; called only when no server runs. */
  prepareStart(): Promise<{ postgres: string; configFile: string }>;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  signal: AbortSignal;
};

export type Postmaster = {
  pid: number;
  socketFolder: string;
  /** It ran already: an orphan, or another controller's. */
  adopted: boolean;
};

type Child = { pid: number; logOffset: number; ended: boolean };

async function startChild(context: ServerContext): Promise<Child> {
  const { folder, user } = context;
  const { postgres, configFile } = await context.prepareStart();
  await boundServerLog(folder.log);
  const output = await openServerLog(folder.log);
  try {
    const logOffset = (await output.stat()).size;
    const identity = user.isOther ? { uid: user.uid, gid: user.gid } : {};
    const args = ['-D', folder.data, '-c', `config_file=${configFile}`];
    const stdio: ['ignore', number, number] = ['ignore', output.fd, output.fd];
    const child = spawn(postgres, args, { ...identity, cwd: '/', env: { LC_ALL: 'C' }, stdio, detached: true });
    await once(child, 'spawn');
    child.unref();
    const { pid } = child;
    if (pid === undefined) throw new Error('the server was started without a process id');
    const started: Child = { pid, logOffset, ended: child.exitCode !== null || child.signalCode !== null };
    child.once('exit', () => (started.ended = true));
    return started;
  } catch (error) {
    throw new EmbeddedPostgresError('start_failed', `Starting ${postgres} failed: ${(error as Error).message}.`, error);
  } finally {
    await output.close();
  }
}

/**
 * The server that we started ended at once. PostgreSQL's own lock decides whether the folder is free: when another server holds
 * it, or what is left of one, that is a reason to look again; anything else is thrown.
 */
async function judgeEnd(context: ServerContext, child: Child, seen: Observation): Promise<void> {
  const { folder } = context;
  const said = await readServerLog(folder.log, child.logOffset, child.pid);
  if (!/lock file ".*" already exists|pre-existing shared memory block/.test(said)) {
    throw toProgramError(`Starting the database in ${folder.data}`, said);
  }
  if (seen.state !== 'foreign') return;
  throw new EmbeddedPostgresError(
    'foreign_process',
    `${folder.data}/postmaster.pid names the process ${seen.pid}, which runs and is no PostgreSQL (after a restart of the machine or ` +
      'container another program may have that id). If no PostgreSQL uses this folder, remove that file, then start again.',
  );
}

const WAITING = {
  absent: 'does not start',
  foreign: 'does not start',
  zombie: 'has ended, but its parent process has not taken note of it',
  busy: 'is still starting or stopping',
  silent: 'does not answer on its socket',
} as const;

/**
 * Returns when a server of this folder takes connections: the one that runs, or one it starts. Waits while an old one stops, is
 * being reaped or recovers. Of several callers at once one starts the server and the others adopt it.
 */
export async function ensurePostmaster(context: ServerContext): Promise<Postmaster> {
  const { folder, log } = context;
  const since = performance.now();
  let heardAt = since;
  let child: Child | null = null;
  let told: Observation['state'] | null = null;
  for (;;) {
    context.signal.throwIfAborted();
    const seen = await observeServer(folder);
    if (seen.state === 'ready') {
      return { pid: seen.pid, socketFolder: seen.socketFolder, adopted: seen.pid !== child?.pid };
    }
    const now = performance.now();
    if (seen.state === 'busy') heardAt = now;
    if (child?.ended === true) {
      await judgeEnd(context, child, seen);
      child = null;
      await wait(RETRY_MS);
    } else if (seen.state === 'absent' || seen.state === 'foreign') {
      child ??= await startChild(context);
    } else if (seen.pid !== child?.pid && seen.state !== told) {
      told = seen.state;
      log.info({ pid: seen.pid }, `waiting: the database server of ${folder.data} ${WAITING[told]}`);
    }
    if (now - heardAt > SILENT_MS || now - since > BUSY_MS) {
      const who = 'pid' in seen ? ` (process ${seen.pid})` : '';
      const what = `The database server of ${folder.data}${who} ${WAITING[seen.state]}. See ${folder.log}.`;
      throw new EmbeddedPostgresError('not_answering', what);
    }
    await wait(STEP_MS);
  }
}

/** Fast shutdown: clients are disconnected, everything is written. Returns when the server is gone, at once if it was. */
export async function stopPostmaster(folder: ClusterFolder): Promise<void> {
  const file = await readPostmasterFile(folder.data);
  if (file === null || (await readProcessState(file.pid)) !== 'postgres') return;
  try {
    process.kill(file.pid, 'SIGINT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  const since = performance.now();
  while ((await readProcessState(file.pid)) === 'postgres') {
    if (performance.now() - since > SILENT_MS) {
      throw new EmbeddedPostgresError(
        'stop_failed',
        `The database server (process ${file.pid}) was told to stop and did not. See ${folder.log}.`,
      );
    }
    await wait(STEP_MS);
  }
}
