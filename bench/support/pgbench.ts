/** PostgreSQL's own load generator, from Debian's package `postgresql`: found, or installed by root without a cluster of its own. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findMissing, hasApt, installWithApt } from '../../scripts/start/apt.mjs';
import { toAptCommand } from '../../scripts/start/system-plan.mjs';
import type { EmbeddedSocket } from './embedded-socket.ts';

const run = promisify(execFile);

const VERSIONS = '/usr/lib/postgresql';
const PACKAGE = 'postgresql';
/** Without it the package starts a server on port 5432 that nobody asked for. */
const NO_CLUSTER = { folder: '/etc/postgresql-common/createcluster.d', file: 'vestibule-bench.conf' };

function findProgram(): string | null {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(VERSIONS, version, 'bin', 'pgbench')).find((path) => existsSync(path)) ?? null;
}

/** @throws Error that says what to do, when it is not there and may not be installed */
export async function ensurePgbench(): Promise<string> {
  const found = findProgram();
  if (found !== null) return found;
  const byHand = `pgbench is missing. Install Debian's package ${PACKAGE}: ${toAptCommand([PACKAGE], { sudo: process.getuid?.() !== 0 })}`;
  if (process.getuid?.() !== 0 || !(await hasApt())) throw new Error(byHand);
  console.error(`Installing the system package ${PACKAGE} (once), for pgbench`);
  if ((await findMissing(['postgresql-common'])).length > 0) {
    mkdirSync(NO_CLUSTER.folder, { recursive: true });
    writeFileSync(join(NO_CLUSTER.folder, NO_CLUSTER.file), 'create_main_cluster = false\n');
  }
  const { problem } = await installWithApt([PACKAGE], { sudo: false });
  const installed = findProgram();
  if (installed === null) throw new Error(`${byHand}\n${problem ?? ''}`);
  return installed;
}

export type PgbenchRun = {
  program: string;
  socket: EmbeddedSocket;
  script: string;
  clients: number;
  /** Transactions of each client. */
  each: number;
  /** Number of the first session it uses up. */
  first: number;
};

/** Transactions a second, connections not counted. Statements are prepared. Throws when one failed. */
export async function runPgbench({ program, socket, script, clients, each, first }: PgbenchRun): Promise<number> {
  const { host, port, user, database } = socket;
  const connection = ['-h', host, '-p', String(port), '-U', user];
  const load = ['-n', '-M', 'prepared', '-c', String(clients), '-j', String(Math.min(clients, 2)), '-t', String(each)];
  const variables = ['-D', 'i=-1', '-D', `first=${first}`, '-D', `each=${each}`];
  const { stdout } = await run(program, [...connection, ...load, ...variables, '-f', script, database]);
  const processed = /transactions actually processed: (\d+)\//.exec(stdout)?.[1];
  const tps = /tps = ([\d.]+)/.exec(stdout)?.[1];
  if (Number(processed) !== clients * each || tps === undefined) throw new Error(`pgbench did not finish:\n${stdout}`);
  return Number(tps);
}
