/** `npm run simulate`: see `simulation/main.ts`. Plain Node, as nothing may be installed yet. */
import { join } from 'node:path';
import { requireNode } from './start/node-version.mjs';
import { ROOT, TSX } from './start/paths.mjs';
import { ensureNodePackages } from './start/prepare.mjs';
import { runInTerminal } from './start/run-program.mjs';

try {
  requireNode();
  await ensureNodePackages({ install: true });
  const main = join(ROOT, 'simulation', 'main.ts');
  process.exitCode = await runInTerminal(process.execPath, [TSX, main, ...process.argv.slice(2)], { cwd: ROOT });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
