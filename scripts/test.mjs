/** `npm test`, also from a clean clone: sets this machine up, then hands over to `test.ts`. Plain Node, as nothing is installed yet. */
import { join } from 'node:path';
import { SETTING, takeRuntimes, toPackagedRuntimes } from './run/test-runtimes.mjs';
import { installSystemPackages } from './start/install-system-packages.mjs';
import { requireNode } from './start/node-version.mjs';
import { ROOT, SCRATCH_DIR, TSX } from './start/paths.mjs';
import { ensureNodePackages } from './start/prepare.mjs';
import { runInTerminal } from './start/run-program.mjs';
import { findAbilities, TEST_PACKAGES } from './system-packages.mjs';

const HELP = `npm test [-- PART…] [ARGUMENTS]
npm run test:vm [-- --runtime NAMES] [ARGUMENTS]
npm run e2e [-- ARGUMENTS]

Sets the machine up, then runs the parts, all when none is named: check, unit (with PostgreSQL), image, vm, e2e, e2e:container.
Arguments go on to the runner of one part: npm run e2e -- -g demo

  --runtime NAMES  the runtimes that VM tests are about, separated by commas: process, container, qemu, firecracker.
                   Their packages are installed, and their image is built when there is none.
                   By default all; of qemu, which is slow without KVM, only that a machine boots (qemu-boot).

TEST_RUNTIMES             the same from the environment
TEST_IMAGES_DIR           where that image is built and kept (default .vestibule/images)
REQUIRE                   abilities that must be there, separated by commas: ids of a runtime's requirements, or its name for all of them.
                          A test that lacks one fails instead of being skipped. By default what this set-up installed.
`;

async function main() {
  requireNode();
  const argv = process.argv.slice(2);
  if (argv.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const { runtimes, rest } = takeRuntimes(argv, process.env);
  await ensureNodePackages({ install: true });
  const isRoot = process.getuid?.() === 0;
  const packaged = toPackagedRuntimes(runtimes);
  const missing = await installSystemPackages({
    ...{ yes: isRoot, install: isRoot },
    ...{ runtimes: packaged, more: TEST_PACKAGES },
  });
  const demanded = process.env['REQUIRE'] ?? findAbilities(missing, isRoot, packaged).join(',');
  const env = {
    ...process.env,
    ...{ REQUIRE: demanded, [SETTING]: runtimes.join(',') },
    TEST_IMAGES_DIR: process.env['TEST_IMAGES_DIR'] ?? join(SCRATCH_DIR, 'images'),
  };
  return runInTerminal(process.execPath, [TSX, 'scripts/test.ts', ...rest], { cwd: ROOT, env });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
