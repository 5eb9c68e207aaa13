/**
 * A program for tests: opens the embedded PostgreSQL of the folder in its first argument, says so in one line of JSON, and stops it
 * when its input ends. Killed, it is a controller that was killed.
 */
import { createLogger } from '../telemetry/logger.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { EmbeddedPostgresError } from './embedded-postgres/embedded-postgres-error.ts';

const [dataDir = ''] = process.argv.slice(2);
const { logger: log } = createLogger({ level: 'silent' });

try {
  const cluster = await startEmbeddedPostgres({ dataDir, log });
  process.stdout.write(`${JSON.stringify({ adopted: cluster.adopted, app: cluster.app })}\n`);
  process.stdin.resume().once('end', () => {
    void cluster.stop().then(() => process.exit(0));
  });
} catch (error) {
  const code = error instanceof EmbeddedPostgresError ? error.code : 'unexpected';
  process.stdout.write(`${JSON.stringify({ code, message: (error as Error).message })}\n`);
}
