/** `npm run e2e:clis`: runs `e2e/clis/main.ts` on a built product; see there. */
import { installSystemPackages } from './start/install-system-packages.mjs';
import { requireNode } from './start/node-version.mjs';
import { ROOT } from './start/paths.mjs';
import { ensureBuilt, ensureNodePackages } from './start/prepare.mjs';
import { TEST_PACKAGES } from './system-packages.mjs';
import { runWithSignals } from './start/run-program.mjs';

async function main() {
  requireNode();
  const args = process.argv.slice(2);
  if (!args.includes('--help')) {
    await ensureNodePackages({ install: true });
    const isRoot = process.getuid?.() === 0;
    await installSystemPackages({ yes: isRoot, install: isRoot, runtimes: ['process'], more: TEST_PACKAGES });
    await ensureBuilt();
  }
  return runWithSignals('e2e/clis/main.ts', args, ROOT);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
