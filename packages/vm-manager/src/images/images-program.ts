/** What `vestibule images` does: builds images, lists them, removes old ones. The command gives it the folders. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildImage, type BuildOptions } from './build-image.ts';
import { createBuildReport, type BuildReport, type ReportOutput } from './build-report.ts';
import { loadFetchEnvironment } from './config.ts';
import { collectImages } from './image-gc.ts';
import { findImage, listImages } from './image-store.ts';
import { isRoot, runAsNamespaceRoot } from './user-namespace.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const MIB = 1024 * 1024;

type Flags = { imagesDir: string; vmsDir: string; isFresh: boolean; isDryRun: boolean; lockFile: string };

function readFlags(argv: readonly string[]): { action: string; isJson: boolean; flags: Flags } {
  const { values, positionals } = parseArgs({
    args: [...argv],
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

/** Null, and words for a person, on wrong usage. */
function findFlags(argv: readonly string[], stderr: ReportOutput): ReturnType<typeof readFlags> | null {
  try {
    return readFlags(argv);
  } catch (error) {
    stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return null;
  }
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
const EXIT = { done: 0, failed: 1, usage: 2 } as const;

export type ProgramOutputs = { stdout: ReportOutput; stderr: ReportOutput };

/** Resolves to the exit code; never rejects. An ordinary user's build goes on in another process. */
export async function runImagesProgram(argv: readonly string[], { stdout, stderr }: ProgramOutputs): Promise<number> {
  const given = findFlags(argv, stderr);
  const run = ACTIONS[given?.action ?? ''];
  if (given === null || run === undefined) return EXIT.usage;
  const { action, isJson, flags } = given;
  const report = createBuildReport(isJson, stdout, stderr);
  try {
    if (action !== 'list' && !isRoot()) return await runAsNamespaceRoot();
    await run(flags, report);
    return EXIT.done;
  } catch (error) {
    report.warn(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  }
}
