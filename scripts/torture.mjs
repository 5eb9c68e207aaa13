/** `npm run torture -- --kills N --minutes M`: runs `torture/main.ts` on a built product; its last line is JSON. */
import { requireNode } from './start/node-version.mjs';
import { ROOT } from './start/paths.mjs';
import { ensureBuilt, ensureNodePackages } from './start/prepare.mjs';
import { runWithSignals } from './start/run-program.mjs';

async function main() {
  requireNode();
  const args = process.argv.slice(2);
  if (!args.includes('--help')) {
    await ensureNodePackages({ install: true });
    await ensureBuilt();
  }
  return runWithSignals('torture/main.ts', args, ROOT);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
