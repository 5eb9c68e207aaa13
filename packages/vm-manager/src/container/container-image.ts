/**
 * The image of browser VMs in a container engine: loaded once, under a name of this installation's own, so that installations that share an
 * engine do not take each other's away. An image that is not the current one any more goes when no container needs it.
 */
import { findCurrentImage } from '../images/image-store.ts';
import { createSingleFlight } from '../single-flight.ts';
import type { Engine } from './engine.ts';

/** As the archive names it; see `image-manifest.ts`. */
const ARCHIVE_REPOSITORY = 'vestibule-browser';
export const NO_IMAGE = 'no image of browser machines was built';

export type ContainerImagesOptions = {
  engine: Engine;
  imagesDir: string;
  installationId: string;
  onProgress: (words: string) => void;
};

export function createContainerImages({ engine, imagesDir, installationId, onProgress }: ContainerImagesOptions) {
  const repository = `localhost/vestibule-${installationId.toLowerCase()}`;
  const loads = createSingleFlight<string>();

  async function load(name: string, imageId: string, archivePath: string): Promise<void> {
    const isArchiveTag = (tag: string): boolean => tag.split('/').at(-1) === `${ARCHIVE_REPOSITORY}:${imageId}`;
    const there = (await engine.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []).find(isArchiveTag);
    if (there === undefined) onProgress(`loading the image ${imageId} into the container engine`);
    await engine.tagImage(there ?? (await engine.loadImage(archivePath)), repository, imageId);
    if ((await engine.findImage(name)) === null)
      throw new Error(`the container engine took ${archivePath} and has no ${name}`);
    onProgress(`the image ${imageId} is in the container engine`);
  }

  async function ensure(): Promise<string> {
    const image = await findCurrentImage(imagesDir);
    if (image === null) throw new Error(NO_IMAGE);
    const { imageId } = image.manifest;
    const name = `${repository}:${imageId}`;
    if ((await engine.findImage(name)) !== null) return name;
    await load(name, imageId, image.pathOf('oci'));
    await removeOld(name);
    return name;
  }

  async function removeOld(current: string): Promise<void> {
    for (const { RepoTags } of await engine.listImages()) {
      const tags = RepoTags ?? [];
      const own = tags.filter((tag) => tag.startsWith(`${repository}:`) && tag !== current);
      const isShared = tags.some(
        (tag) => tag.startsWith('localhost/vestibule-') && !own.includes(tag) && !isOfArchive(tag),
      );
      // The archive's own name goes first: what a container needs keeps ours, and is found again.
      for (const tag of [...(isShared || own.length === 0 ? [] : tags.filter(isOfArchive)), ...own])
        await engine.removeImage(tag);
    }
  }

  return {
    /** The name of the image that new VMs start from, loaded when it was not. Rejects with `NO_IMAGE` when there is none. */
    ensure: () => loads.run('', ensure),
  };
}

const isOfArchive = (tag: string): boolean => tag.split('/').at(-1)?.startsWith(`${ARCHIVE_REPOSITORY}:`) ?? false;
