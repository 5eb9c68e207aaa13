/** `npm run e2e:clis`: runs `e2e/clis/main.ts` on a built product; see there. */
import { spawn } from 'node:child_process';
import { installSystemPackages } from './start/install-system-packages.mjs';
import { requireNode } from './start/node-version.mjs';
import { ROOT } from './start/paths.mjs';
import { ensureBuilt, ensureNodePackages } from './start/prepare.mjs';
import { TEST_PACKAGES } from './system-packages.mjs';

async function main() {
  requireNode();
  const args = process.argv.slice(2);
  if (!args.includes('--help')) {
    await ensureNodePackages({ install: true });
    const isRoot = process.getuid?.() === 0;
    await installSystemPackages({ yes: isRoot, install: isRoot, more: TEST_PACKAGES });
    await ensureBuilt();
  }
  const child = spawn(process.execPath, ['--import', 'tsx', 'e2e/clis/main.ts', ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  // A terminal interrupts both at once; whoever signals this one alone means both. It ends when all is cleared up.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
