/**
 * The part of a controller that stores, in a process of its own that the power cut ends: the embedded PostgreSQL and the master key on the
 * disk that loses things, looked through for what was acknowledged before, then written to without pause.
 */
import { join } from 'node:path';
import type { Pool } from 'pg';
import { answerRequests, type ChildProgram } from '../bench/support/child-program.ts';
import { createPool } from '../packages/controller/src/db/database.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../packages/controller/src/db/embedded-postgres.ts';
import { migrate } from '../packages/controller/src/db/migrate.ts';
import { createLogger } from '../packages/controller/src/telemetry/logger.ts';
import { openVault } from '../packages/controller/src/vault/open-vault.ts';
import type { Vault } from '../packages/controller/src/vault/vault.ts';
import { readJournal } from './journal.ts';
import { countLost, signInForEver } from './sign-ins.ts';

export type ControllerRequest =
  | { kind: 'start'; dataDir: string; journal: string; fsync: boolean }
  | { kind: 'write'; clients: number }
  | { kind: 'stop' };
/** Of all that was ever acknowledged. */
export type ControllerAnswer = { acknowledged: number; lost: number };
export type Controller = ChildProgram<ControllerRequest, ControllerAnswer>;

type Running = { embedded: EmbeddedPostgres; pool: Pool; vault: Vault; journal: string };

const { logger: log } = createLogger({ level: 'silent' });
const NOTHING = { acknowledged: 0, lost: 0 };
let running: Running | null = null;

async function start(request: Extract<ControllerRequest, { kind: 'start' }>): Promise<ControllerAnswer> {
  const { dataDir, journal, fsync } = request;
  const embedded = await startEmbeddedPostgres({ dataDir, log, ...(fsync ? {} : { settings: { fsync: 'off' } }) });
  const owner = createPool({ config: embedded.owner, log, maxConnections: 1 });
  await migrate({ pool: owner, log });
  await owner.end();
  const pool = createPool({ config: embedded.app, log });
  const acknowledged = readJournal(journal);
  const vault = await openVault({ pool, masterKeyFile: join(dataDir, 'master-key') });
  running = { embedded, pool, vault, journal };
  return { acknowledged: acknowledged.length, lost: await countLost({ pool, vault }, acknowledged) };
}

answerRequests(async (request: ControllerRequest): Promise<ControllerAnswer> => {
  if (request.kind === 'start') return start(request);
  if (running === null) throw new Error('it was not started');
  if (request.kind === 'write') {
    signInForEver(running, request.clients, running.journal).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
    return NOTHING;
  }
  await running.pool.end();
  await running.embedded.stop();
  return NOTHING;
});
