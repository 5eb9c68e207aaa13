/** Which old images go: all but the current one, the one before it, and those that a VM still runs from. */
import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { listImages, type ListedImage } from './image-store.ts';

const KEPT = 2;

/** `usedIds`: of images that a VM was started from and is not gone. */
export function planRemoval(images: readonly ListedImage[], usedIds: ReadonlySet<string>): ListedImage[] {
  const newest = images.toSorted((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || toTime(b) - toTime(a));
  return newest.slice(KEPT).filter(({ imageId }) => !usedIds.has(imageId));
}

const toTime = ({ publishedAt }: ListedImage): number => publishedAt.getTime();

/** Returns what was removed or, with `isDryRun`, would be. */
export async function collectImages(imagesDir: string, vmsDir: string, isDryRun: boolean): Promise<ListedImage[]> {
  const images = await listImages(imagesDir);
  const removed = planRemoval(images, await findUsedIds(images, vmsDir));
  if (!isDryRun) for (const { dir } of removed) await rm(dir, { recursive: true, force: true });
  return removed;
}

/** What a VM was started with names its image, by path or tag. */
async function findUsedIds(images: readonly ListedImage[], vmsDir: string): Promise<Set<string>> {
  const names = await readdir(vmsDir).catch(() => []);
  const specs = await Promise.all(
    names.map((name) => readFile(join(vmsDir, name, 'spec.json'), 'utf8').catch(() => '')),
  );
  return new Set(
    images.map(({ imageId }) => imageId).filter((imageId) => specs.some((spec) => spec.includes(imageId))),
  );
}
