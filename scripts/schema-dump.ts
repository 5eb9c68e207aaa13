/**
 * Writes `packages/controller/src/db/schema.sql` from the migrations, by running them on a PostgreSQL of its own; with `--check`,
 * only says whether the committed file is current (exit code 1 if not).
 */
import { createPool } from '../packages/controller/src/db/database.ts';
import { checkSchemaFile, dumpSchema, writeSchemaFile } from '../packages/controller/src/db/schema-dump.ts';
import { MIGRATED_TEMPLATE, startTestCluster, toTestConfig } from '../packages/controller/src/db/testing-cluster.ts';
import { createLogger } from '../packages/controller/src/telemetry/logger.ts';

async function dump(): Promise<string> {
  const cluster = await startTestCluster();
  try {
    const config = toTestConfig(cluster.server, 'owner', MIGRATED_TEMPLATE);
    const pool = createPool({ config, log: createLogger({ level: 'warn' }).logger, maxConnections: 1 });
    try {
      return await dumpSchema(pool);
    } finally {
      await pool.end();
    }
  } finally {
    await cluster.stop();
  }
}

const current = await dump();
if (process.argv.includes('--check')) {
  const difference = await checkSchemaFile(current);
  if (difference !== null) {
    console.error(
      `schema.sql is not current: run \`npx tsx scripts/schema-dump.ts\` and commit the file.\n${difference}`,
    );
    process.exitCode = 1;
  }
} else {
  await writeSchemaFile(current);
}
