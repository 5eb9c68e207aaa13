/**
 * `npm run build`: makes `dist/`, skipping every target whose inputs have not changed. A target is built beside the old one and then
 * takes its place, so that a build that fails or is interrupted leaves the old one working.
 */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build as buildPage } from 'vite';
import { bundle, copyNativePackage, findRegistryDependencies } from './build/bundle-node.ts';
import { STAMP, hashInputs, isFresh } from './build/freshness.mjs';
import { TARGETS } from './build/targets.mjs';
import { ROOT, SCRATCH_DIR } from './start/paths.mjs';
import { withSetupLock } from './start/setup-lock.mjs';

const PTY = '@lydell/node-pty';

const HELP = `npm run build [-- --force]

Bundles controller, agent, supervisor, command and page into dist/. Only what changed is built; --force builds all.
`;

const BUILDERS: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  async controller(folder) {
    await bundle({
      entry: join(ROOT, 'packages/controller/src/main.ts'),
      outfile: join(folder, 'main.mjs'),
      external: ['controller', 'vm-manager', 'protocol'].flatMap((name) =>
        findRegistryDependencies(join(ROOT, 'packages', name)),
      ),
    });
    cpSync(join(ROOT, 'packages/controller/src/db/migrations'), join(folder, 'migrations'), { recursive: true });
  },
  async agent(folder) {
    await bundle({
      entry: join(ROOT, 'packages/agent/src/main.ts'),
      outfile: join(folder, 'agent.mjs'),
      external: [PTY],
    });
    copyNativePackage(ROOT, PTY, folder);
  },
  async supervisor(folder) {
    await bundle({
      entry: join(ROOT, 'packages/vm-manager/src/supervisor/supervisor.ts'),
      outfile: join(folder, 'supervisor.mjs'),
      external: [],
    });
  },
  /** Runs inside of browser VMs; goes into their image. */
  async guest(folder) {
    await bundle({
      entry: join(ROOT, 'packages/vm-manager/src/guest/bridge.ts'),
      outfile: join(folder, 'bridge.mjs'),
      external: [],
    });
  },
  async cli(folder) {
    await bundle({
      entry: join(ROOT, 'packages/cli/src/main.ts'),
      outfile: join(folder, 'main.mjs'),
      external: ['cli', 'protocol'].flatMap((name) => findRegistryDependencies(join(ROOT, 'packages', name))),
    });
  },
  async web(folder) {
    await buildPage({
      configFile: join(ROOT, 'packages/web/vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: folder, emptyOutDir: true },
    });
  },
};

/** Puts the finished folder in the place of the old one. */
function replaceFolder(finished: string, place: string): void {
  const old = `${place}.old`;
  rmSync(old, { recursive: true, force: true });
  if (existsSync(place)) renameSync(place, old);
  renameSync(finished, place);
  rmSync(old, { recursive: true, force: true });
}

async function buildTarget(target: (typeof TARGETS)[number]): Promise<void> {
  const startedAt = performance.now();
  const builder = BUILDERS[target.name];
  if (builder === undefined) throw new Error(`nothing builds the target ${target.name}`);
  const stamp = hashInputs(ROOT, target);
  const place = join(ROOT, 'dist', target.name);
  const folder = `${place}.new`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await builder(folder);
    writeFileSync(join(folder, STAMP), stamp);
    replaceFolder(folder, place);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`  ${target.name} ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

async function main(): Promise<void> {
  const flags = process.argv.slice(2);
  if (flags.includes('--help')) {
    console.log(HELP);
    return;
  }
  const sayWaiting = (pid: string): void =>
    console.log(`Another process (${pid}) is building in this clone; waiting for it…`);
  // Browser VMs run as other users and read what is built here.
  process.umask(0o022);
  await withSetupLock(SCRATCH_DIR, sayWaiting, async () => {
    const stale = TARGETS.filter((target) => flags.includes('--force') || !isFresh(ROOT, target));
    const results = await Promise.allSettled(stale.map(buildTarget));
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      const reason = result.reason instanceof Error ? result.reason.message : String(result.reason);
      console.error(`  ${stale[index]?.name ?? ''} could not be built: ${reason}`);
      process.exitCode = 1;
    }
  });
}

await main();
