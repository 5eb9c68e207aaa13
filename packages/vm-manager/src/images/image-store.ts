/** Where built images are: `<imagesDir>/<imageId>/` each whole, and `current`, a link to the one new VMs start from. */
import { existsSync } from 'node:fs';
import { readFile, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { imageManifestSchema, type ImageManifest } from './image-manifest.ts';

export const CURRENT = 'current';
export const MANIFEST = 'manifest.json';
/** Ends the name of a folder that is not whole. */
export const PARTIAL = '.partial';

export type Image = {
  /** Absolute, without the link. */
  dir: string;
  manifest: ImageManifest;
  pathOf(file: keyof ImageManifest['files']): string;
};

/** The image that new VMs start from; null when none was built. Throws on one whose manifest cannot be read. */
export async function findCurrentImage(imagesDir: string): Promise<Image | null> {
  return findImageAt(imagesDir, CURRENT);
}

/** Null when there is no such image. */
export async function findImage(imagesDir: string, imageId: string): Promise<Image | null> {
  return findImageAt(imagesDir, imageId);
}

async function findImageAt(imagesDir: string, name: string): Promise<Image | null> {
  const text = await readFile(join(imagesDir, name, MANIFEST), 'utf8').catch(() => null);
  if (text === null) return null;
  const manifest = imageManifestSchema.parse(JSON.parse(text));
  const dir = join(imagesDir, manifest.imageId);
  return { dir, manifest, pathOf: (file) => join(dir, manifest.files[file].name) };
}

export type ListedImage = { imageId: string; dir: string; isCurrent: boolean; publishedAt: Date };

/** All whole images, the newest first. */
export async function listImages(imagesDir: string): Promise<ListedImage[]> {
  const current = await readlink(join(imagesDir, CURRENT)).catch(() => null);
  const names = (await readdir(imagesDir).catch(() => [])).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const images = await Promise.all(
    names
      .filter((name) => existsSync(join(imagesDir, name, MANIFEST)))
      .map(async (imageId) => {
        const dir = join(imagesDir, imageId);
        return { imageId, dir, isCurrent: imageId === current, publishedAt: (await stat(dir)).mtime };
      }),
  );
  return images.toSorted((a, b) => b.publishedAt.getTime() - a.publishedAt.getTime());
}

/** Where an image is put together until it is published; only its builder looks there. */
export const toPartialDir = (imagesDir: string, imageId: string): string => join(imagesDir, `${imageId}${PARTIAL}`);

/** Gives a whole folder its name. VMs that are started from now on still start from the image before, until `makeCurrent`. */
export async function publishImage(imagesDir: string, imageId: string): Promise<void> {
  const dir = join(imagesDir, imageId);
  await rm(dir, { recursive: true, force: true });
  await rename(toPartialDir(imagesDir, imageId), dir);
}

/** A reader finds the old image or the new one, at every moment. */
export async function makeCurrent(imagesDir: string, imageId: string): Promise<void> {
  const draft = join(imagesDir, `${CURRENT}${PARTIAL}`);
  await rm(draft, { force: true });
  await symlink(imageId, draft);
  await rename(draft, join(imagesDir, CURRENT));
}

/** What a build that was killed left behind. No build may be going on. */
export async function clearPartialImages(imagesDir: string): Promise<void> {
  const left = (await readdir(imagesDir).catch(() => [])).filter((name) => name.endsWith(PARTIAL));
  await Promise.all(left.map((name) => rm(join(imagesDir, name), { recursive: true, force: true })));
}
