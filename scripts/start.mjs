/**
 * `npm start`: from a fresh clone to a running Vestibule. Plain Node without dependencies, as nothing is installed yet when it begins.
 * The steps are in `start/`; this file is their order.
 */
import { join } from 'node:path';
import { findRuntime, parseStartFlags, toHelp, withEnvFile } from './start/flags.mjs';
import { installSystemPackages } from './start/install-system-packages.mjs';
import { requireNode } from './start/node-version.mjs';
import { ROOT } from './start/paths.mjs';
import { ensureBuilt, ensureNodePackages } from './start/prepare.mjs';
import { prepareRuntime } from './start/prepare-runtime.mjs';
import { runController } from './start/run-controller.mjs';

async function main() {
  requireNode();
  const flags = parseStartFlags(process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(toHelp(ROOT));
    return 0;
  }
  const env = withEnvFile(ROOT, process.env);
  await ensureNodePackages(flags);
  const runtime = findRuntime(flags.controllerArgs, env);
  await installSystemPackages({ ...flags, runtimes: [runtime] });
  await ensureBuilt();
  const stop = await prepareRuntime(runtime, { ...flags, env });
  const program = join(ROOT, 'dist', 'controller', 'main.mjs');
  try {
    return await runController(process.execPath, ['--enable-source-maps', program, ...flags.controllerArgs], {
      cwd: process.cwd(),
      env,
    });
  } finally {
    await stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
