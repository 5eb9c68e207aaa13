/**
 * `npm run bench -- complete`: completing sessions on the embedded PostgreSQL, by the product and by pgbench, in turns, each on sessions of
 * its own that wait for their person. The product counts everything from the agent's message to its answer, sealing included; pgbench sends
 * the statements that the product was seen to send, prepared, and does nothing else. In every pair of turns the other one goes first.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openDatabase, type Database } from '../packages/controller/src/db/open-database.ts';
import { createLogger } from '../packages/controller/src/telemetry/logger.ts';
import { openVault } from '../packages/controller/src/vault/open-vault.ts';
import type { Vault } from '../packages/controller/src/vault/vault.ts';
import { createCompletionClients, toNumberedHandover } from './support/completion-clients.ts';
import { findEmbeddedSocket, type EmbeddedSocket } from './support/embedded-socket.ts';
import { percentile, round } from './support/measures.ts';
import { readCount } from './support/options.ts';
import { ensurePgbench, runPgbench } from './support/pgbench.ts';
import { createRecordingPool, toPgbenchScript } from './support/statement-script.ts';
import { insertWaitingSessions, toScatteredSql, toSessionId, toVmId } from './support/waiting-sessions.ts';

const CLIENTS = [1, 4, 16] as const;
/** Sessions of each client in one turn: a second or so of work. */
const EACH = { 1: 400, 4: 200, 16: 150 } as const;
const GOAL = 0.7;

const HELP = `npm run bench -- complete [--n COUNT]

Sessions completed in a second with 1, 4 and 16 clients, beside pgbench with the same statements on the same database, in turns.
  --n COUNT  turns of each side for each number of clients, at least 6 for a number to publish (default 6)

Prints one JSON line: medians of the turns in transactions a second, and their ratio. Goal: ${GOAL} or more with 16 clients.
pgbench comes from Debian's package postgresql, which root gets installed.`;

type Stage = {
  database: Database;
  owner: pg.Pool;
  vault: Vault;
  socket: EmbeddedSocket;
  script: string;
  program: string;
};
type Contestant = (clients: number, each: number, first: number) => Promise<number>;

let nextNumber = 0;

/** Numbers of sessions that wait, with the planner's knowledge of them; outside what is measured, alike for both. */
async function prepareSessions({ database, owner }: Pick<Stage, 'database' | 'owner'>, count: number): Promise<number> {
  const first = nextNumber;
  nextNumber += count;
  await insertWaitingSessions(database.pool, first, count);
  await owner.query('analyze');
  return first;
}

/** One completion by the product, written down as a script. */
async function recordScript(stage: Pick<Stage, 'database' | 'owner' | 'vault'>, path: string): Promise<string[]> {
  const n = await prepareSessions(stage, 1);
  const { pool, statements } = createRecordingPool(stage.database.pool);
  const clients = createCompletionClients({ pool, vault: stage.vault });
  const handover = toNumberedHandover(n);
  await clients.completeOne(handover, n);
  const sent = [...statements];
  await clients.close();
  const scattered = (kind: string): string => toScatteredSql(kind, ':n');
  const numbered = new Map([
    [toSessionId(n), scattered('session')],
    [toVmId(n), `'vm_bench_' || :n`],
    [handover.handoverId, scattered('handover')],
  ]);
  writeFileSync(path, toPgbenchScript(sent, numbered, scattered('credential')));
  return sent.map(({ text }) => /^\s*\w+/.exec(text)?.[0].trim() ?? '');
}

function createProduct({ database, vault }: Stage): Contestant {
  return async (count, each, first) => {
    const handovers = Array.from({ length: count * each }, (_, index) => toNumberedHandover(first + index));
    await Promise.all(Array.from({ length: count }, () => database.pool.query('select 1')));
    const clients = createCompletionClients({ pool: database.pool, vault });
    const startedAt = performance.now();
    const runClient = async (client: number): Promise<void> => {
      for (let index = client * each; index < (client + 1) * each; index += 1)
        await clients.completeOne(handovers[index]!, first + index);
    };
    await Promise.all(Array.from({ length: count }, (_, client) => runClient(client)));
    const seconds = (performance.now() - startedAt) / 1000;
    await clients.close();
    return (count * each) / seconds;
  };
}

async function assertCompleted({ database }: Stage, first: number, count: number): Promise<void> {
  const { rows } = await database.pool.query<{ n: number }>(
    `select count(*)::int as n from generate_series($1::int, $2::int) n
     join auth_sessions s on s.session_id = ${toScatteredSql('session', 'n')} and s.status = 'completed'
     join provider_credentials c on c.credential_id = s.credential_id and c.version = 1`,
    [first, first + count - 1],
  );
  if (rows[0]?.n !== count) throw new Error(`${rows[0]?.n} of ${count} sessions were completed: this measures nothing`);
}

async function measure(stage: Stage, clients: (typeof CLIENTS)[number], turns: number) {
  const each = EACH[clients];
  const contestants: Record<'product' | 'pgbench', Contestant> = {
    product: createProduct(stage),
    pgbench: (count, of, first) => runPgbench({ ...stage, clients: count, each: of, first }),
  };
  const found = { product: [] as number[], pgbench: [] as number[] };
  // The first turn warms up.
  for (let turn = 0; turn <= turns; turn += 1) {
    const order = turn % 2 === 0 ? (['product', 'pgbench'] as const) : (['pgbench', 'product'] as const);
    for (const name of order) {
      const first = await prepareSessions(stage, clients * each);
      const tps = await contestants[name](clients, each, first);
      await assertCompleted(stage, first, clients * each);
      if (turn > 0) found[name].push(tps);
    }
  }
  const ratios = found.product.map((tps, index) => tps / found.pgbench[index]!);
  const [product, pgbench] = [percentile(found.product, 50), percentile(found.pgbench, 50)];
  return {
    clients,
    product_tps: Math.round(product),
    pgbench_tps: Math.round(pgbench),
    ratio: round(product / pgbench, 2),
    ratio_of_turns: [round(Math.min(...ratios), 2), round(Math.max(...ratios), 2)],
  };
}

async function readDurability({ pool }: Database): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')`,
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}

const turns = readCount({ help: HELP, fallback: 6, least: 1 });
const program = await ensurePgbench();
const dataDir = mkdtempSync(join(tmpdir(), 'vestibule-bench-'));
chmodSync(dataDir, 0o711);
const { logger: log } = createLogger({ level: 'silent' });
const database = await openDatabase({ databaseUrl: null, dataDir, log });
const owner = new pg.Pool({ ...findEmbeddedSocket(dataDir, 'owner'), max: 1 });
try {
  const vault = await openVault({ pool: database.pool, masterKeyFile: join(dataDir, 'master-key') });
  const script = join(dataDir, 'completion.sql');
  const statements = await recordScript({ database, owner, vault }, script);
  const stage = { database, owner, vault, socket: findEmbeddedSocket(dataDir), script, program };
  const results = [];
  for (const clients of CLIENTS) results.push(await measure(stage, clients, turns));
  console.log(
    JSON.stringify({
      bench: 'complete',
      n: turns,
      results,
      statements,
      goal: { clients: 16, ratio: GOAL },
      ...(await readDurability(database)),
      load1: round(loadavg()[0] ?? 0, 1),
    }),
  );
} finally {
  await owner.end();
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
}
