/** What a Vestibule of one runtime is given in a test: an image of what is built here, an engine of the test's own. */
import { join } from 'node:path';
import type { BuiltRuntime } from '@vestibule/protocol/vm';
import { startPodmanService } from '@vestibule/vm-manager/testing-podman';
import { openFirecrackerMachine } from './firecracker-machine.ts';
import { buildImage } from '../../scripts/start/prepare-runtime.mjs';
import { SCRATCH_DIR } from '../../scripts/start/paths.mjs';

export type RuntimeSettings = {
  env: Readonly<Record<string, string>>;
  close(): Promise<void>;
};

const FROM_AN_IMAGE: readonly BuiltRuntime[] = ['container', 'qemu'];

/** Where `npm test` has its image, unless the environment names another place. */
async function findImages(): Promise<Record<string, string>> {
  const imagesDir =
    process.env['VESTIBULE_IMAGES_DIR'] ?? process.env['TEST_IMAGES_DIR'] ?? join(SCRATCH_DIR, 'images');
  if (!(await buildImage(imagesDir, process.env))) throw new Error('the image could not be built');
  return { VESTIBULE_IMAGES_DIR: imagesDir };
}

/** An engine that the environment names is used as it is. */
async function openEngine(): Promise<RuntimeSettings> {
  const socketPath = process.env['VESTIBULE_CONTAINER_SOCKET'];
  if (socketPath !== undefined)
    return { env: { VESTIBULE_CONTAINER_SOCKET: socketPath }, close: () => Promise.resolve() };
  const podman = await startPodmanService();
  return { env: { VESTIBULE_CONTAINER_SOCKET: podman.socketPath }, close: () => podman.close() };
}

/** The real one where the environment names its programs, else the double, whose image is its own. */
async function openFirecracker(): Promise<RuntimeSettings> {
  const machine = await openFirecrackerMachine();
  const images = machine.isDouble ? {} : await findImages();
  return { env: { ...machine.env, ...images }, close: async () => machine.close() };
}

export async function openRuntimeSettings(runtime: BuiltRuntime): Promise<RuntimeSettings> {
  if (runtime === 'firecracker') return openFirecracker();
  const images = FROM_AN_IMAGE.includes(runtime) ? await findImages() : {};
  const engine = runtime === 'container' ? await openEngine() : null;
  return {
    env: { VESTIBULE_RUNTIME: runtime, ...images, ...engine?.env },
    close: async () => engine?.close(),
  };
}
