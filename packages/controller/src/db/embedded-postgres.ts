/**
 * The embedded PostgreSQL: one detached server below the data folder, started at first use, adopted when it runs already,
 * started again when it dies. docs/decisions/0003-embedded-postgresql.md says why each part is as it is.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, realpath, rename, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import type { SocketConfig } from './connection-config.ts';
import { isConnectionLost } from './database-error.ts';
import type { ClusterFolder } from './embedded-postgres/cluster-folder.ts';
import { PORT, toClusterFolder } from './embedded-postgres/cluster-folder.ts';
import type { ClusterUse } from './embedded-postgres/cluster-use.ts';
import { holdCluster } from './embedded-postgres/cluster-use.ts';
import { ensureCluster } from './embedded-postgres/create-cluster.ts';
import { withFileErrors } from './embedded-postgres/embedded-postgres-error.ts';
import type { Postmaster, ServerContext } from './embedded-postgres/postmaster.ts';
import { ensurePostmaster, stopPostmaster } from './embedded-postgres/postmaster.ts';
import { findServerPackage, installServer } from './embedded-postgres/server-binaries.ts';
import {
  APP_ROLE,
  DATABASE,
  OWNER_ROLE,
  toPgHbaConf,
  toPgIdentConf,
  toPostgresqlConf,
} from './embedded-postgres/server-config.ts';
import { watchServerLog } from './embedded-postgres/server-log.ts';
import type { ServerUser } from './embedded-postgres/server-user.ts';
import { ensureReachable, findServerUser } from './embedded-postgres/server-user.ts';
import { ensureSocketFolder } from './embedded-postgres/socket-folder.ts';

const RETRY_MS = 5_000;

export type EmbeddedPostgresOptions = {
  dataDir: string;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** More server settings, for tests. */
  settings?: Readonly<Record<string, string>>;
  /** For tests, which clone databases. Decided when the cluster is created. */
  ownerCreatesDatabases?: boolean;
};

export type EmbeddedPostgres = {
  /** Owns the database's objects: for migrations only. */
  owner: SocketConfig;
  /** Owns no table: for everything else. */
  app: SocketConfig;
  /** The server ran already: an orphan, or another controller's. */
  adopted: boolean;
  /** Stops the server and waits for it, unless another process uses it too. Close the pools before. Repeatable. Until then this process stays alive. */
  stop(): Promise<void>;
};

/** At once, since the server that another starter starts may be reading it; readable by the server's user. */
async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.new-${randomBytes(6).toString('hex')}`;
  await writeFile(fresh, text);
  await chmod(fresh, 0o644);
  await rename(fresh, path);
}

async function writeConfig(folder: ClusterFolder, settings: EmbeddedPostgresOptions['settings']): Promise<string> {
  await mkdir(folder.config, { recursive: true });
  await chmod(folder.config, 0o755);
  const files = { hba: join(folder.config, 'pg_hba.conf'), ident: join(folder.config, 'pg_ident.conf') };
  const configFile = join(folder.config, 'postgresql.conf');
  await replaceFile(files.hba, toPgHbaConf());
  await replaceFile(files.ident, toPgIdentConf(userInfo().username));
  await replaceFile(configFile, toPostgresqlConf(folder.run, files, settings));
  return configFile;
}

async function openFolder(dataDir: string, user: ServerUser): Promise<ClusterFolder> {
  return withFileErrors(`Opening the data folder ${dataDir}`, async () => {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const folder = toClusterFolder(await realpath(dataDir));
    await ensureReachable(user, folder.dataDir);
    await mkdir(folder.root, { recursive: true });
    await chmod(folder.root, user.isOther ? 0o711 : 0o700);
    return folder;
  });
}

async function createContext(options: EmbeddedPostgresOptions, signal: AbortSignal): Promise<ServerContext> {
  const user = await findServerUser();
  const folder = await openFolder(options.dataDir, user);
  return {
    folder,
    user,
    log: options.log,
    signal,
    prepareStart: () =>
      withFileErrors(`Preparing the database folder ${folder.root}`, async () => {
        const serverPackage = await findServerPackage();
        const programs = await installServer(serverPackage, folder.root);
        await ensureCluster({
          folder,
          serverPackage,
          programs,
          user,
          ownerCreatesDatabases: options.ownerCreatesDatabases ?? false,
        });
        await ensureSocketFolder(folder.run, user);
        return { postgres: programs.postgres, configFile: await writeConfig(folder, options.settings) };
      }),
  };
}

function toConfig(user: string, postmaster: Postmaster): SocketConfig {
  return { host: postmaster.socketFolder, port: PORT, user, database: DATABASE };
}

/**
 * Resolves when the database takes connections.
 * @throws EmbeddedPostgresError, whose message is for the operator
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log } = options;
  const stopping = new AbortController();
  const context = await createContext(options, stopping.signal);
  let use: ClusterUse | null = null;
  let revival: Promise<void> = Promise.resolve();

  async function open(): Promise<Postmaster> {
    for (;;) {
      const postmaster = await ensurePostmaster(context);
      try {
        use = await holdCluster(toConfig(APP_ROLE, postmaster), onLost);
        return postmaster;
      } catch (error) {
        // Another controller may have stopped it in this moment.
        if (!isConnectionLost(error)) throw error;
      }
    }
  }

  async function revive(): Promise<void> {
    log.error({}, 'the database server ended unexpectedly; starting it again');
    while (!stopping.signal.aborted) {
      try {
        const { pid, adopted } = await open();
        log.info({ pid, adopted }, 'the database server runs again');
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.error({ err: error }, 'starting the database server again failed');
        await wait(RETRY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      }
    }
  }

  function onLost(): void {
    if (!stopping.signal.aborted) revival = revive();
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await revival;
    unwatchLog();
    if ((await use?.release()) !== false) await stopPostmaster(context.folder);
    else log.info({}, 'the database server stays up: another process uses it');
  }

  const first = await open();
  const unwatchLog = watchServerLog(context.folder.log);
  log.info({ pid: first.pid, adopted: first.adopted, folder: context.folder.root }, 'the database server is ready');
  let stopped: Promise<void> | null = null;
  return {
    owner: toConfig(OWNER_ROLE, first),
    app: toConfig(APP_ROLE, first),
    adopted: first.adopted,
    stop: () => (stopped ??= stop()),
  };
}
