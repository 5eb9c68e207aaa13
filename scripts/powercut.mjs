/** `npm run powercut`: node packages, then `powercut/main.ts`, as root with mounts that nobody else sees. It needs no build. */
import { requireNode } from './start/node-version.mjs';
import { ROOT, TSX } from './start/paths.mjs';
import { ensureNodePackages } from './start/prepare.mjs';
import { runInTerminal } from './start/run-program.mjs';

async function main() {
  requireNode();
  await ensureNodePackages({ install: true });
  const argv = [process.execPath, TSX, 'powercut/main.ts', ...process.argv.slice(2)];
  const isRoot = process.getuid?.() === 0;
  const [program = '', ...args] = isRoot ? ['unshare', '--mount', '--propagation', 'private', ...argv] : argv;
  return runInTerminal(program, args, { cwd: ROOT });
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
