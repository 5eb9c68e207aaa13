/**
 * The agent as a program: the first process of a browser VM. Told to end, it ends with exit code 1 on purpose: Firecracker's VMs end that
 * way, and so every sign-in shows that the exit code decides nothing (I3; docs/decisions).
 */
import { computeBuildId } from './build-id.ts';
import { loadConfig } from './config.ts';
import { createLog } from './log.ts';
import { startOauthAgent, type OauthAgent } from './oauth-agent.ts';

const EXIT_CODE = 1;

process.umask(0o077);
const log = createLog();
let agent: OauthAgent | null = null;
let ending = false;

async function end(why: string): Promise<void> {
  if (ending) return;
  ending = true;
  log('agent ending', { why });
  await agent?.stop();
  process.exit(EXIT_CODE);
}

process.on('SIGTERM', () => void end('SIGTERM'));
process.on('SIGINT', () => void end('SIGINT'));
try {
  agent = await startOauthAgent({
    config: loadConfig(),
    buildId: computeBuildId(import.meta.url),
    log,
    onShutdown: () => void end('shutdown'),
  });
} catch (error) {
  await end(error instanceof Error ? error.message : 'unexpected error');
}
