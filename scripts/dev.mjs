/**
 * `npm run dev`: the controller on the runtime `fake` with an embedded PostgreSQL, begun anew when its code changes, and before it the
 * page with hot reload. The link that the controller prints leads to the page. Needs nothing but Node.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { findDevDataDir } from './dev/dev-data-dir.mjs';
import { requireNode } from './start/node-version.mjs';
import { ROOT, TSX } from './start/paths.mjs';
import { ensureNodePackages } from './start/prepare.mjs';

const HELP = `npm run dev

Page with hot reload on http://127.0.0.1:7080 (VESTIBULE_PORT), controller one port above, runtime fake. Needs nothing but Node.
Settings: see .env.example; VESTIBULE_RUNTIME=process uses real browser VMs (run npm run build first).
`;
const VITE = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');

/**
 * Ends with the first child that ends, and takes the other along. Each is in a process group of its own and hears one signal from here,
 * as a second one makes tsx kill the controller.
 * @param {import('node:child_process').ChildProcess[]} children
 */
async function runTogether(children) {
  let stopping = false;
  const stop = () => {
    if (!stopping) for (const child of children) child.kill('SIGTERM');
    stopping = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  const codes = children.map(
    (child) => new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal === null ? code : 0))),
  );
  const first = await Promise.race(codes);
  stop();
  await Promise.all(codes);
  return Number(first);
}

async function main() {
  requireNode();
  if (process.argv.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  await ensureNodePackages({ install: true });
  const pagePort = Number(process.env['VESTIBULE_PORT'] ?? '7080');
  const controllerPort = pagePort + 1;
  const env = {
    VESTIBULE_RUNTIME: 'fake',
    VESTIBULE_DATA_DIR: findDevDataDir(process.getuid?.() === 0),
    ...process.env,
    VESTIBULE_PORT: String(controllerPort),
    VESTIBULE_PUBLIC_URL: `http://127.0.0.1:${pagePort}`,
  };
  const pageEnv = { ...process.env, VESTIBULE_DEV_CONTROLLER: `http://127.0.0.1:${controllerPort}` };
  /** @param {string[]} args @param {NodeJS.ProcessEnv} childEnv */
  const start = (args, childEnv) =>
    spawn(process.execPath, args, { cwd: ROOT, env: childEnv, stdio: 'inherit', detached: true });
  return runTogether([
    start([TSX, 'watch', '--clear-screen=false', 'packages/controller/src/main.ts'], env),
    start(
      [VITE, 'packages/web', '--host', '127.0.0.1', '--port', String(pagePort), '--strictPort', '--logLevel', 'warn'],
      pageEnv,
    ),
  ]);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
