/** `npm test`, also from a clean clone: sets this machine up, then hands over to `test.ts`. Plain Node, as nothing is installed yet. */
import { installSystemPackages } from './start/install-system-packages.mjs';
import { requireNode } from './start/node-version.mjs';
import { ROOT, TSX } from './start/paths.mjs';
import { ensureNodePackages } from './start/prepare.mjs';
import { runInTerminal } from './start/run-program.mjs';
import { findAbilities, TEST_PACKAGES } from './system-packages.mjs';

const HELP = `npm test [-- PART…] [ARGUMENTS]
npm run test:vm [-- ARGUMENTS]
npm run e2e [-- ARGUMENTS]

Sets the machine up, then runs the parts, all when none is named: check, unit (with PostgreSQL), vm, e2e.
Arguments go on to the runner of one part: npm run e2e -- -g demo

REQUIRE   abilities that must be there, separated by commas; a test that lacks one fails instead of being skipped.
          By default what this set-up installed.
`;

async function main() {
  requireNode();
  const argv = process.argv.slice(2);
  if (argv.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  await ensureNodePackages({ install: true });
  const isRoot = process.getuid?.() === 0;
  const missing = await installSystemPackages({ yes: isRoot, install: isRoot, more: TEST_PACKAGES });
  const env = { ...process.env, REQUIRE: process.env['REQUIRE'] ?? findAbilities(missing, isRoot).join(',') };
  return runInTerminal(process.execPath, [TSX, 'scripts/test.ts', ...argv], { cwd: ROOT, env });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
