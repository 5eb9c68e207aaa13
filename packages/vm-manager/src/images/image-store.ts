/** Where built images are: `<imagesDir>/<imageId>/` each whole, and `current`, a link to the one new VMs start from. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { imageManifestSchema, type ImageManifest } from './image-manifest.ts';

export const CURRENT = 'current';
export const MANIFEST = 'manifest.json';

export type Image = {
  /** Absolute, without the link. */
  dir: string;
  manifest: ImageManifest;
  pathOf(file: keyof ImageManifest['files']): string;
};

/** The image that new VMs start from; null when none was built. Throws on one whose manifest cannot be read. */
export async function findCurrentImage(imagesDir: string): Promise<Image | null> {
  const text = await readFile(join(imagesDir, CURRENT, MANIFEST), 'utf8').catch(() => null);
  if (text === null) return null;
  const manifest = imageManifestSchema.parse(JSON.parse(text));
  const dir = join(imagesDir, manifest.imageId);
  return { dir, manifest, pathOf: (file) => join(dir, manifest.files[file].name) };
}
