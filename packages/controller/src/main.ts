/** The controller's program: settings, lock, start, one message, and an orderly end. Every refusal to start is a sentence, not a stack. */
import { acquireInstanceLock, type InstanceLock } from './instance-lock.ts';
import { type App, startApp } from './app.ts';
import { type Config, ConfigError, loadProcessConfig } from './config.ts';
import { DataFolderError, openDataFolder, toDataFolderError, type DataFolder } from './data-folder.ts';
import { DatabaseUnavailableError } from './db/database-error.ts';
import { EmbeddedPostgresError } from './db/embedded-postgres/embedded-postgres-error.ts';
import { MigrationError } from './db/migration-files.ts';
import { UnsuitableDatabaseError } from './db/suitability.ts';
import { AgentNotBuiltError } from './fleet/agent-build.ts';
import { ListenError } from './http/listen.ts';
import { findProductFolder } from './product-folder.ts';
import { ProviderFilesError } from './providers/provider-registry.ts';
import { toReadyJson, toReadyText, toSignInLink } from './ready-message.ts';
import { toHelpText } from './settings-text.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { KeyFileError } from './vault/key-file-error.ts';
import { VaultRefusedError } from './vault/vault.ts';

/** Errors whose message tells an operator all there is to know; any other is a defect and shows its stack. */
const WORDED = [
  ConfigError,
  DataFolderError,
  EmbeddedPostgresError,
  DatabaseUnavailableError,
  UnsuitableDatabaseError,
  MigrationError,
  KeyFileError,
  VaultRefusedError,
  ProviderFilesError,
  AgentNotBuiltError,
  ListenError,
];

const EXIT_REFUSED = 1;
/** A second signal ends at once; the next start then finds what is left. */
const EXIT_SECOND_SIGNAL = 130;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function takeLock(
  config: Config,
  folder: DataFolder,
  json: boolean,
): Promise<{ lock: InstanceLock; notes: string[] } | null> {
  const onWait = (): void => {
    process.stderr.write('An earlier Vestibule on this data folder is still stopping; waiting for it.\n');
  };
  const result = await acquireInstanceLock(folder.dir, onWait).catch((error: unknown) => {
    throw toDataFolderError(folder.dir, error);
  });
  if (result.kind === 'acquired') {
    const notes = result.tookOver
      ? ['The Vestibule before this one was ended abruptly; its database and browsers are taken over.']
      : [];
    return { lock: result.lock, notes };
  }
  const { pid, url } = result.holder;
  const link = url === '' ? null : toSignInLink(url, folder.operatorToken);
  if (json) say(JSON.stringify({ ready: false, alreadyRunning: true, pid, signInLink: link }));
  else {
    say(`Vestibule is already running on ${config.dataDir} (process ${pid}); this second start changes nothing.`);
    if (link !== null) say(`Open this link to sign in as the operator:\n\n  ${link}\n`);
  }
  return null;
}

/** Resolves at the first request to stop: a signal, or the end of `npm start` above us. */
function waitForStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(EXIT_SECOND_SIGNAL));
      });
    }
    process.once('disconnect', () => resolve('the end of its parent'));
  });
}

async function serve(config: Config, log: Logger, folder: DataFolder, json: boolean): Promise<void> {
  const taken = await takeLock(config, folder, json);
  if (taken === null) return;
  const { lock, notes } = taken;
  let app: App | null = null;
  try {
    const stopped = waitForStop();
    app = await startApp({ config, folder, product: findProductFolder(), log });
    lock.update({ url: app.origin });
    const ready = {
      origin: app.origin,
      port: app.port,
      token: folder.operatorToken,
      dataDir: folder.dir,
      ssh: config.ssh,
      notes,
    };
    say(json ? toReadyJson(ready) : toReadyText(ready));
    const reason = await stopped;
    lock.update({ state: 'stopping' });
    log.info({ reason }, 'stopping; browser machines under way live on and are found at the next start');
  } finally {
    await app?.close();
    lock.release();
  }
}

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) return say(toHelpText());
  const json = argv.includes('--json');
  const config = loadProcessConfig(argv.filter((word) => word !== '--json'));
  const folder = openDataFolder(config.dataDir, config.operatorToken);
  const { logger, hide } = createLogger({ level: config.logLevel });
  for (const secret of [folder.operatorToken, config.databaseUrl]) if (secret !== null) hide(secret.reveal());
  await serve(config, logger, folder, json);
}

main(process.argv.slice(2)).then(
  () => {
    // What is left open (idle sockets of a database that is gone) must not keep a stopped controller alive.
    process.exit(0);
  },
  (error: unknown) => {
    const words = WORDED.find((kind) => error instanceof kind) === undefined ? null : (error as Error).message;
    process.stderr.write(
      `${words ?? `Vestibule failed unexpectedly: ${error instanceof Error ? error.stack : String(error)}`}\n`,
    );
    process.exit(EXIT_REFUSED);
  },
);
