/** A program of its own, which `vestibule images` runs: builds images, lists them, removes old ones. The command gives it the folders. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildImage, type BuildOptions } from './build-image.ts';
import { createBuildReport, type BuildReport } from './build-report.ts';
import { loadFetchEnvironment } from './config.ts';
import { collectImages } from './image-gc.ts';
import { findImage, listImages } from './image-store.ts';
import { isRoot, runAsNamespaceRoot } from './user-namespace.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const MIB = 1024 * 1024;

type Flags = { imagesDir: string; vmsDir: string; isFresh: boolean; isDryRun: boolean; lockFile: string };

function readFlags(): { action: string; isJson: boolean; flags: Flags } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'images-dir': { type: 'string' },
      'vms-dir': { type: 'string' },
      json: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const { 'images-dir': imagesDir, 'vms-dir': vmsDir, json, fresh, 'dry-run': isDryRun } = values;
  if (imagesDir === undefined || vmsDir === undefined) throw new Error('--images-dir and --vms-dir must be given');
  const lockFile = join(ROOT, 'images', 'packages.lock');
  return {
    action: positionals[0] ?? '',
    isJson: json,
    flags: { imagesDir, vmsDir, isFresh: fresh, isDryRun, lockFile },
  };
}

function toBuildOptions({ imagesDir, isFresh, lockFile }: Flags, report: BuildReport): BuildOptions {
  const images = join(ROOT, 'images');
  return {
    ...{ imagesDir, isFresh, lockFile, tell: report.tell },
    recipeFile: join(images, 'recipe.json'),
    product: {
      agentDir: join(ROOT, 'dist', 'agent'),
      policyFile: join(images, 'chromium-policy.json'),
      guestDirs: [join(images, 'guest'), join(ROOT, 'dist', 'guest')],
    },
    initramfsInit: join(images, 'guest', 'initramfs-init'),
    environment: loadFetchEnvironment(),
  };
}

async function build(flags: Flags, report: BuildReport): Promise<void> {
  const startedAt = performance.now();
  const { image, isNew } = await buildImage(toBuildOptions(flags, report));
  const { imageId, files } = image.manifest;
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const words = isNew
    ? `Image ${imageId} is ready (${seconds} s): ${image.dir}\n  root ${toMib(files.rootfs.bytes)}, OCI archive ${toMib(files.oci.bytes)}. New browser VMs start from it.`
    : `Nothing changed: image ${imageId} is current (${image.dir}).`;
  report.say(words, { type: 'built', imageId, dir: image.dir, isNew, seconds });
  await collect(flags, report);
}

const toMib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;

async function collect({ imagesDir, vmsDir, isDryRun }: Flags, report: BuildReport): Promise<void> {
  for (const { imageId } of await collectImages(imagesDir, vmsDir, isDryRun))
    report.say(`${isDryRun ? 'Would remove' : 'Removed'} the old image ${imageId}.`, {
      type: isDryRun ? 'removable' : 'removed',
      imageId,
    });
}

async function list({ imagesDir }: Flags, report: BuildReport): Promise<void> {
  const images = await listImages(imagesDir);
  if (images.length === 0) report.say(`There is no image in ${imagesDir}.`, { type: 'images_end', count: 0 });
  for (const { imageId, isCurrent } of images) {
    const manifest = (await findImage(imagesDir, imageId))?.manifest;
    if (manifest === undefined) continue;
    const { builtAt, tools, kernelVersion, agentBuildId, files } = manifest;
    const bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
    report.say(
      `${isCurrent ? '*' : ' '} ${imageId}  ${builtAt}  ${toMib(bytes)}  Chromium ${tools['chromium'] ?? '?'}, ` +
        `Node ${tools['node'] ?? '?'}, kernel ${kernelVersion}, agent ${agentBuildId.slice(0, 12)}`,
      { type: 'image', imageId, isCurrent, builtAt, bytes, tools, kernelVersion, agentBuildId },
    );
  }
}

const ACTIONS: Readonly<Record<string, (flags: Flags, report: BuildReport) => Promise<void>>> = {
  build,
  list,
  gc: collect,
};
const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

async function main(): Promise<number> {
  const { action, isJson, flags } = readFlags();
  const run = ACTIONS[action];
  if (run === undefined) return EXIT.usage;
  const report = createBuildReport(isJson, process.stdout, process.stderr);
  try {
    if (action !== 'list' && !isRoot()) return await runAsNamespaceRoot();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => {
        report.warn('Stopped. The images are as they were.');
        process.exit(EXIT.interrupted);
      });
    process.umask(0o022);
    await run(flags, report);
    return EXIT.done;
  } catch (error) {
    report.warn(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  }
}

process.exitCode = await main();
