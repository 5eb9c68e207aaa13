/**
 * The parts of an image that are made apart from each other and kept from build to build: three layers, of which the lower change less
 * often than the upper, and the kernel. Each lies in a folder of the cache, with its facts in `part.json`.
 */
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { GUEST } from '../vm/guest.ts';
import { makeDebianBase } from './debian-base.ts';
import { findDebianSources, findFetchOptions } from './debian-sources.ts';
import { makeKernel } from './kernel.ts';
import { measureFile, writeLayerTar, type Measured } from './layer-tar.ts';
import { fetchNode } from './node-program.ts';
import { makeProductTree, type ProductSources } from './product-tree.ts';
import type { Recipe } from './recipe.ts';
import type { StageCache, StageResult } from './stage-cache.ts';
import { claimTree, settleTree } from './tree.ts';

/** A change of how parts are made makes all of them anew. */
const FORMAT = 1;

export type Layered = { tree: string; tar: string; measured: Measured; isCached: boolean; dir: string };
export type BasePart = Layered & { packages: Record<string, string>; kernelArchive: string };
export type KernelPart = {
  bzImage: string;
  vmlinux: string;
  modulesDir: string;
  version: string;
  release: string;
  measured: { bzImage: Measured; vmlinux: Measured };
  isCached: boolean;
  dir: string;
};

export type PartsOptions = {
  recipe: Recipe;
  cache: StageCache;
  /** How packages are fetched. */
  environment: Readonly<Record<string, string>>;
  /** Debian's newest packages, also where the cache has some. */
  isFresh: boolean;
};
type OnProgress = (percent: number | null, words: string) => void;

const measuredSchema = z.object({ bytes: z.number(), sha256: z.string() });
const layerSchema = z.object({ layer: measuredSchema });
const baseSchema = layerSchema.extend({ packages: z.record(z.string(), z.string()), kernelArchive: z.string() });
const kernelSchema = z.object({
  version: z.string(),
  release: z.string(),
  bzImage: measuredSchema,
  vmlinux: measuredSchema,
});

export const toEpochSeconds = ({ epoch }: Recipe): number => Date.parse(epoch) / 1000;

export function toBaseInputs({
  architecture,
  suite,
  epoch,
  kernel,
  packages,
  leftOut,
  removed,
  privileged,
}: Recipe): object {
  return {
    format: FORMAT,
    architecture,
    suite,
    epoch,
    kernel,
    packages: Object.keys(packages),
    leftOut,
    removed,
    privileged,
  };
}

export async function makeBasePart(options: PartsOptions, onProgress: OnProgress): Promise<BasePart> {
  const { recipe, cache, environment, isFresh } = options;
  const result = await cache.run(
    'base',
    toBaseInputs(recipe),
    async (dir) => {
      const tree = join(dir, 'tree');
      await mkdir(tree, { mode: 0o755 });
      const [sources, fetchOptions] = await Promise.all([findDebianSources(recipe), findFetchOptions()]);
      const archivesDir = toArchivesDir(cache);
      const base = await makeDebianBase({ recipe, sources, fetchOptions, environment, tree, archivesDir, onProgress });
      onProgress(null, 'writing its layer');
      await writeFacts(dir, { ...base, layer: await writeLayerTar(tree, join(dir, 'layer.tar')) });
    },
    isFresh,
  );
  const { packages, kernelArchive } = baseSchema.parse(await readFacts(result.dir));
  return { ...(await toLayered(result)), packages, kernelArchive };
}

const toArchivesDir = (cache: StageCache): string => join(cache.dir, 'archives');

export async function makeNodePart({ recipe, cache, environment }: PartsOptions): Promise<Layered> {
  const { node } = recipe;
  const result = await cache.run('node', { format: FORMAT, node, epoch: recipe.epoch }, async (dir) => {
    const tree = join(dir, 'tree');
    await mkdir(join(tree, GUEST.node, '..'), { recursive: true });
    await fetchNode(node, environment, join(tree, GUEST.node));
    await finishLayer(dir, tree, toEpochSeconds(recipe));
  });
  return toLayered(result);
}

/** Made anew each time: it is small, and what it is made of changes most often. */
export async function makeProductPart({ recipe, cache }: PartsOptions, sources: ProductSources): Promise<Layered> {
  const result = await cache.run(
    'product',
    'newest',
    async (dir) => {
      const tree = join(dir, 'tree');
      await mkdir(tree);
      await makeProductTree(sources, tree);
      await finishLayer(dir, tree, toEpochSeconds(recipe));
    },
    true,
  );
  return toLayered(result);
}

/** Of the kernel that came with the base. */
export async function makeKernelPart({ cache }: PartsOptions, { kernelArchive }: BasePart): Promise<KernelPart> {
  const result = await cache.run('kernel', { format: FORMAT, kernelArchive }, async (dir) => {
    const kernel = await makeKernel(join(toArchivesDir(cache), kernelArchive), join(dir, 'work'));
    await copyFile(kernel.bzImagePath, join(dir, 'vmlinuz'));
    await copyFile(kernel.vmlinuxPath, join(dir, 'vmlinux'));
    await rename(kernel.modulesDir, join(dir, 'modules'));
    await rm(join(dir, 'work'), { recursive: true });
    const [bzImage, vmlinux] = await Promise.all([
      measureFile(join(dir, 'vmlinuz')),
      measureFile(join(dir, 'vmlinux')),
    ]);
    await writeFacts(dir, { version: kernel.version, release: kernel.release, bzImage, vmlinux });
  });
  const { version, release, bzImage, vmlinux } = kernelSchema.parse(await readFacts(result.dir));
  const { dir, isCached } = result;
  return {
    ...{ dir, isCached, version, release, measured: { bzImage, vmlinux }, modulesDir: join(dir, 'modules') },
    ...{ bzImage: join(dir, 'vmlinuz'), vmlinux: join(dir, 'vmlinux') },
  };
}

async function finishLayer(dir: string, tree: string, epochSeconds: number): Promise<void> {
  await claimTree(tree);
  await settleTree(tree, [], epochSeconds);
  await writeFacts(dir, { layer: await writeLayerTar(tree, join(dir, 'layer.tar')) });
}

async function toLayered({ dir, isCached }: StageResult): Promise<Layered> {
  const { layer } = layerSchema.parse(await readFacts(dir));
  return { tree: join(dir, 'tree'), tar: join(dir, 'layer.tar'), measured: layer, isCached, dir };
}

const writeFacts = (dir: string, facts: object): Promise<void> =>
  writeFile(join(dir, 'part.json'), JSON.stringify(facts));
const readFacts = async (dir: string): Promise<unknown> => JSON.parse(await readFile(join(dir, 'part.json'), 'utf8'));
