/**
 * The agent as a program: the first process of a browser VM. Told to end, it ends with exit code 1 on purpose: Firecracker's VMs end that
 * way, and so every sign-in shows that the exit code decides nothing (I3; docs/decisions).
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { computeBuildId } from './build-id.ts';
import { createCapabilities } from './capabilities.ts';
import { loadConfig } from './config.ts';
import { startDesktop } from './desktop.ts';
import { createLog } from './log.ts';
import { createOutbox } from './outbox.ts';
import { createReleaser } from './releaser.ts';

const EXIT_CODE = 1;

process.umask(0o077);
const log = createLog();
const releaser = createReleaser(log);
let ending = false;

async function end(why: string): Promise<void> {
  if (ending) return;
  ending = true;
  log('agent ending', { why });
  await releaser.releaseAll();
  process.exit(EXIT_CODE);
}

async function start(): Promise<void> {
  const config = loadConfig();
  const outbox = createOutbox();
  const capabilities = createCapabilities(outbox, log);
  const privateDir = mkdtempSync(join(tmpdir(), 'vestibule-'));
  const desktop = startDesktop({
    dir: join(privateDir, 'desktop'),
    chromium: config.chromium,
    rfbSocket: config.rfbSocket,
    env: config.inherited,
    capabilities,
    pace: config.pace,
    log,
  });
  releaser.defer('desktop', desktop.close);
  // The display takes longer to start than all else of the agent to load.
  const { startOauthAgent } = await import('./oauth-agent.ts');
  const buildId = computeBuildId(import.meta.url);
  const onShutdown = (): void => void end('shutdown');
  await startOauthAgent({ config, buildId, privateDir, desktop, capabilities, outbox, releaser, log, onShutdown });
}

process.on('SIGTERM', () => void end('SIGTERM'));
process.on('SIGINT', () => void end('SIGINT'));
try {
  await start();
} catch (error) {
  await end(error instanceof Error ? error.message : 'unexpected error');
}
