/**
 * Builds an image from the recipe, stage by stage; what did not change since the last build is taken from the cache. Ends with a folder
 * of the store under a name that is a hash of its contents, and `current` leading there; whatever goes wrong before leaves the store as it
 * was. Must run as root, of the machine or of a user namespace.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lockInstall } from '../layers/install-lock.ts';
import { settleAll } from '../settle-all.ts';
import type { Tell } from './build-event.ts';
import { requirePrograms, requireSpace } from './build-requirements.ts';
import { assembleImage, type ImageParts } from './image-assembly.ts';
import {
  makeBasePart,
  makeKernelPart,
  makeNodePart,
  makeProductPart,
  toBaseInputs,
  type PartsOptions,
} from './image-parts.ts';
import { clearPartialImages, findImage, makeCurrent, type Image } from './image-store.ts';
import { makeInitramfs } from './initramfs.ts';
import { describeDrift } from './package-lock.ts';
import { readAgentBuildId, type ProductSources } from './product-tree.ts';
import { loadRecipe } from './recipe.ts';
import { createStageCache, toKey } from './stage-cache.ts';
import { createTimer } from './stage-timer.ts';

export type BuildOptions = {
  imagesDir: string;
  recipeFile: string;
  /** The versions of packages that are expected. */
  lockFile: string;
  product: ProductSources;
  initramfsInit: string;
  /** How packages are fetched: proxies, npm's registry. */
  environment: Readonly<Record<string, string>>;
  /** Debian's newest packages, also where the cache has some. */
  isFresh: boolean;
  tell: Tell;
};

/** `isNew`: it was not there before. */
export type BuildResult = { image: Image; isNew: boolean };

/** A second build in the same place waits until the first has ended. */
export async function buildImage(options: BuildOptions): Promise<BuildResult> {
  const { imagesDir, tell } = options;
  await requirePrograms();
  const cacheDir = join(imagesDir, '.cache');
  await mkdir(cacheDir, { recursive: true, mode: 0o755 });
  let hasWaited = false;
  const unlock = await lockInstall(join(cacheDir, 'lock'), () => {
    if (!hasWaited) tell({ type: 'warning', words: 'Another process builds an image here; waiting for it.' });
    hasWaited = true;
  });
  try {
    return await buildAlone(options, cacheDir);
  } finally {
    await unlock();
  }
}

async function buildAlone(options: BuildOptions, cacheDir: string): Promise<BuildResult> {
  const { imagesDir, tell, product } = options;
  const cache = createStageCache(cacheDir);
  await Promise.all([cache.clearPartial(), clearPartialImages(imagesDir)]);
  const recipe = await loadRecipe(options.recipeFile);
  const needsBase = options.isFresh || !existsSync(join(cacheDir, `base-${toKey(toBaseInputs(recipe))}`));
  const partsOptions: PartsOptions = { ...options, recipe, cache };
  const timed = createTimer(tell);
  await requireSpace(imagesDir, { needsBase });

  const making = {
    base: timed('base', (say) => makeBasePart(partsOptions, say)),
    node: timed('node', () => makeNodePart(partsOptions)),
    product: timed('product', () => makeProductPart(partsOptions, product)),
  };
  await settleAll(Object.values(making));
  const [base, node, productPart] = await Promise.all([making.base, making.node, making.product]);
  const kernel = await timed('kernel', () => makeKernelPart(partsOptions, base));
  const drift = await describeDrift(options.lockFile, base.packages);
  if (drift !== null) tell({ type: 'warning', words: drift });
  const initramfs = await makeInitramfs({
    modulesDir: kernel.modulesDir,
    busyboxPath: join(base.tree, 'bin/busybox'),
    initPath: options.initramfsInit,
  });
  const agentBuildId = await readAgentBuildId(product.agentDir);
  const parts: ImageParts = { recipe, base, node, product: productPart, kernel, initramfs, agentBuildId };
  const result = await assembleImage({ imagesDir, workDir: join(cacheDir, 'work.partial'), parts, timed });
  await makeCurrent(imagesDir, result.imageId);
  await cache.prune([base, node, kernel, productPart].map(({ dir }) => dir));
  const image = await findImage(imagesDir, result.imageId);
  if (image === null) throw new Error(`the image ${result.imageId} vanished from ${imagesDir} while it was built`);
  return { image, isNew: result.isNew };
}
