/** `npm run e2e:vm`: sets this machine up for one runtime, then runs `e2e/vm/main.ts`. Plain Node, as nothing is installed yet. */
import { takeRuntime } from './e2e-vm/take-runtime.mjs';
import { installSystemPackages } from './start/install-system-packages.mjs';
import { requireNode } from './start/node-version.mjs';
import { ROOT } from './start/paths.mjs';
import { ensureBuilt, ensureNodePackages } from './start/prepare.mjs';
import { runWithSignals } from './start/run-program.mjs';
import { TEST_PACKAGES } from './system-packages.mjs';

const HELP = `npm run e2e:vm -- --runtime process|container|qemu|firecracker [ARGUMENTS]

Signs in to the demo by hand, typing in the live view, to "Connected" and until the machine is gone; then kills machines at every moment of a
sign-in and looks what becomes of it. Installs the packages of the runtime, builds Vestibule, and builds the image when there is none.
Further arguments go on to Playwright: npm run e2e:vm -- --runtime qemu -g demo

TEST_IMAGES_DIR             where the image is, or is built; default: test-results/images
VESTIBULE_CONTAINER_SOCKET  an engine to use; default: a podman of the test's own
E2E_PATIENCE                how many times longer than usual a machine is waited for

qemu without KVM is slow: expect some minutes for the demo.
`;

async function main() {
  requireNode();
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const { runtime } = takeRuntime(args);
  await ensureNodePackages({ install: true });
  const isRoot = process.getuid?.() === 0;
  // The person's own browser, which uses the live view, is one of those of the runtime `process`.
  await installSystemPackages({
    ...{ yes: isRoot, install: isRoot },
    ...{ runtimes: ['process', runtime], more: TEST_PACKAGES },
  });
  await ensureBuilt();
  return runWithSignals('e2e/vm/main.ts', args, ROOT);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
