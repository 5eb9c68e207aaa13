/** Runs a range of sequences on a PostgreSQL of its own and on the model, and tells the first difference in a line of JSON. */
import { createLogger } from '@vestibule/controller/telemetry/logger';
import { createPool } from '@vestibule/controller/db/database';
import { MIGRATED_TEMPLATE, startTestCluster, toTestConfig } from '@vestibule/controller/db/testing-cluster';
import { KEYS } from './differential/store-operation.ts';
import { type Lanes, runSequence } from './differential/run-sequence.ts';

export type DifferentialReport = { kind: 'progress'; done: number } | { kind: 'difference'; words: string };

const [from = '1', count = '1', lanes = '4'] = process.argv.slice(2);
const TELL_EVERY = 100;

function tell(report: DifferentialReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

async function main(): Promise<void> {
  const cluster = await startTestCluster();
  const { logger: log } = createLogger({ level: 'silent' });
  const size = Number(lanes) * 4;
  const owner = createPool({
    config: toTestConfig(cluster.server, 'owner', MIGRATED_TEMPLATE),
    log,
    maxConnections: 1,
  });
  const pool = createPool({
    config: toTestConfig(cluster.server, 'app', MIGRATED_TEMPLATE),
    log,
    maxConnections: size,
  });
  try {
    await owner.query(`insert into vault_keys (key_id, state) values ($1, 'active'), ($2, 'retired')`, [
      KEYS.active,
      KEYS.retired,
    ]);
    // What the disk does is not compared.
    await owner.query(`alter database ${MIGRATED_TEMPLATE} set synchronous_commit to off`);
    let next = Number(from);
    const last = next + Number(count) - 1;
    let done = 0;
    let hasDiffered = false;
    const work = async (): Promise<void> => {
      const [holder, ...others] = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
      const own: Lanes = { pool, holder, others };
      while (next <= last && !hasDiffered) {
        const seed = next;
        next += 1;
        const words = await runSequence(own, seed);
        if (words !== null && !hasDiffered) {
          hasDiffered = true;
          tell({ kind: 'difference', words });
          return;
        }
        done += 1;
        if (done % TELL_EVERY === 0) tell({ kind: 'progress', done });
      }
      for (const client of [holder, ...others]) client.release();
    };
    await Promise.all(Array.from({ length: Number(lanes) }, work));
    tell({ kind: 'progress', done });
    if (hasDiffered) await cluster.stop().finally(() => process.exit(0));
  } finally {
    await Promise.all([pool.end(), owner.end()]);
    await cluster.stop();
  }
}

await main();
