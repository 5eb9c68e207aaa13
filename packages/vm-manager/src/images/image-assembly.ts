/** From parts to a published image: one tree, an ext4 root and an OCI archive of it, tried inside, and only then given its name. */
import { createHash } from 'node:crypto';
import { chown, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settleAll } from '../settle-all.ts';
import { runCommand } from '../system/run-command.ts';
import { GUEST } from '../vm/guest.ts';
import { writeExt4Root } from './ext4-root.ts';
import { checkAgent, checkTools } from './image-check.ts';
import type { ImageManifest } from './image-manifest.ts';
import { MANIFEST, findImage, publishImage, toPartialDir } from './image-store.ts';
import { toEpochSeconds, type BasePart, type KernelPart, type Layered } from './image-parts.ts';
import { measureFile, type Measured } from './layer-tar.ts';
import { writeOciArchive } from './oci-archive.ts';
import { GUEST_PROGRAMS } from './product-tree.ts';
import type { Recipe } from './recipe.ts';
import { toKey } from './stage-cache.ts';
import { measureTree } from './tree.ts';
import type { Timed } from './stage-timer.ts';

/** A change of how images are put together makes other images of the same parts. */
const FORMAT = 1;
const COPY_MS = 5 * 60_000;

export type ImageParts = {
  recipe: Recipe;
  base: BasePart;
  node: Layered;
  product: Layered;
  kernel: KernelPart;
  initramfs: Buffer;
  agentBuildId: string;
};

export type AssemblyOptions = { imagesDir: string; workDir: string; parts: ImageParts; timed: Timed };

const NAMES = {
  oci: 'image.oci.tar',
  rootfs: 'root.ext4',
  kernel: 'vmlinuz',
  vmlinux: 'vmlinux',
  initramfs: 'initramfs',
} as const;

/** Does nothing when there is such an image already. */
export async function assembleImage(options: AssemblyOptions): Promise<{ imageId: string; isNew: boolean }> {
  const { imagesDir, workDir, parts } = options;
  const imageId = toImageId(parts);
  if ((await findImage(imagesDir, imageId)) !== null) return { imageId, isNew: false };
  const dir = toPartialDir(imagesDir, imageId);
  await Promise.all([dir, workDir].map((path) => rm(path, { recursive: true, force: true })));
  await Promise.all([dir, workDir].map((path) => mkdir(path, { recursive: true, mode: 0o755 })));
  try {
    await fill(options, imageId, dir);
    await publishImage(imagesDir, imageId);
  } finally {
    await Promise.all([dir, workDir].map((path) => rm(path, { recursive: true, force: true })));
  }
  return { imageId, isNew: true };
}

/** The same for the same contents, on whatever machine. */
function toImageId({ base, node, product, kernel, initramfs }: ImageParts): string {
  const layers = [base, node, product].map(({ measured }) => measured.sha256);
  const { bzImage, vmlinux } = kernel.measured;
  return toKey({
    format: FORMAT,
    layers,
    bzImage: bzImage.sha256,
    vmlinux: vmlinux.sha256,
    initramfs: sha256(initramfs),
  });
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function fill({ workDir, parts, timed }: AssemblyOptions, imageId: string, dir: string): Promise<void> {
  const { recipe, kernel, initramfs } = parts;
  const tree = join(workDir, 'tree');
  await timed('assemble', () => linkTrees(parts, tree));
  const making = {
    rootfs: timed('root', () => writeRoot(parts, imageId, tree, join(dir, NAMES.rootfs))),
    oci: timed('archive', () => writeArchive(parts, imageId, join(dir, NAMES.oci))),
    tools: timed('check', (say) => check(parts, tree, join(workDir, 'run'), (words) => say(null, words))),
  };
  await settleAll([
    ...Object.values(making),
    copyFile(kernel.bzImage, join(dir, NAMES.kernel)),
    copyFile(kernel.vmlinux, join(dir, NAMES.vmlinux)),
    writeFile(join(dir, NAMES.initramfs), initramfs),
  ]);
  const [rootfs, oci, tools] = await Promise.all([making.rootfs, making.oci, making.tools]);
  const manifest: ImageManifest = {
    imageId,
    builtAt: new Date().toISOString(),
    architecture: recipe.architecture,
    agentBuildId: parts.agentBuildId,
    tools,
    packages: parts.base.packages,
    kernelVersion: `${kernel.release} (${kernel.version})`,
    files: {
      oci: { name: NAMES.oci, ...oci },
      rootfs: { name: NAMES.rootfs, ...rootfs },
      kernel: { name: NAMES.kernel, ...kernel.measured.bzImage },
      vmlinux: { name: NAMES.vmlinux, ...kernel.measured.vmlinux },
      initramfs: { name: NAMES.initramfs, bytes: initramfs.length, sha256: sha256(initramfs) },
    },
  };
  await writeFile(join(dir, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  await timed('publish', () => flush(dir));
}

/** Files are linked, not copied: nothing may write into them. */
async function linkTrees({ base, node, product }: ImageParts, tree: string): Promise<void> {
  await mkdir(tree, { mode: 0o755 });
  for (const part of [base, node, product])
    await runCommand(['cp', '-al', `${part.tree}/.`, tree], { timeoutMs: COPY_MS });
}

async function writeRoot({ recipe }: ImageParts, imageId: string, tree: string, file: string): Promise<Measured> {
  const { entries, bytes } = await measureTree(tree);
  const seed = createHash('sha256').update(`ext4 ${imageId}`).digest('hex').slice(0, 32);
  const epochSeconds = toEpochSeconds(recipe);
  await writeExt4Root({ tree, file, contentBytes: bytes, entries, seed, epochSeconds });
  return measureFile(file);
}

function writeArchive({ recipe, base, node, product }: ImageParts, imageId: string, file: string): Promise<Measured> {
  return writeOciArchive(
    {
      layers: [
        { ...base.measured, file: base.tar, createdBy: `Debian ${recipe.suite}` },
        { ...node.measured, file: node.tar, createdBy: `Node ${recipe.node.version}` },
        { ...product.measured, file: product.tar, createdBy: 'Vestibule' },
      ],
      architecture: recipe.architecture,
      reference: `vestibule-browser:${imageId}`,
      created: recipe.epoch,
      entrypoint: [`${GUEST_PROGRAMS}/container-init`],
      labels: { 'dev.vestibule.image-id': imageId },
    },
    file,
  );
}

async function check(
  parts: ImageParts,
  tree: string,
  runDir: string,
  say: (words: string) => void,
): Promise<Record<string, string>> {
  await mkdir(runDir, { mode: 0o700 });
  await chown(runDir, GUEST.uid, GUEST.uid);
  const room = { tree, runDir };
  const tools = await checkTools(room, say);
  say('the agent, its display and its browser');
  await checkAgent(room, parts.agentBuildId);
  return tools;
}

/** Onto the disk, before the name is: after a power cut an image is whole or absent. */
async function flush(dir: string): Promise<void> {
  await runCommand(['sync', ...(await readdir(dir)).map((name) => join(dir, name)), dir], { timeoutMs: COPY_MS });
}
