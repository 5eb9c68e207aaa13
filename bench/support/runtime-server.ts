/** A Vestibule that runs its browser VMs by one runtime, with what that runtime needs beside it. */
import { join } from 'node:path';
import type { RuntimeKind } from '@vestibule/protocol/vm';
import { startPodmanService } from '@vestibule/vm-manager/testing-podman';
import { startVestibule, type VestibuleServer } from '../../e2e/support/vestibule-server.ts';
import { SCRATCH_DIR } from '../../scripts/start/paths.mjs';
import { ensureImage } from '../../scripts/start/prepare-runtime.mjs';

export type RuntimeServer = { server: VestibuleServer; close(): Promise<void> };

const SETTINGS = { VESTIBULE_GRACE_SECONDS: '0', VESTIBULE_MAX_SESSIONS: '64' };

/** Where `npm test` has its image, unless the environment names another place. */
async function findImages(): Promise<Record<string, string>> {
  const imagesDir =
    process.env['VESTIBULE_IMAGES_DIR'] ?? process.env['TEST_IMAGES_DIR'] ?? join(SCRATCH_DIR, 'images');
  if (!(await ensureImage(imagesDir, process.env))) throw new Error('there is no image, and none could be built');
  return { VESTIBULE_IMAGES_DIR: imagesDir };
}

/** Further settings (`VESTIBULE_…`) come from the environment. */
export async function startOnRuntime(runtime: RuntimeKind): Promise<RuntimeServer> {
  const images = runtime === 'process' ? {} : await findImages();
  const isOwnEngine = runtime === 'container' && process.env['VESTIBULE_CONTAINER_SOCKET'] === undefined;
  const podman = isOwnEngine ? await startPodmanService() : null;
  const engine = podman === null ? {} : { VESTIBULE_CONTAINER_SOCKET: podman.socketPath };
  try {
    const env = { ...SETTINGS, VESTIBULE_RUNTIME: runtime, ...images, ...engine };
    const server = await startVestibule({ args: ['--demo'], env });
    return {
      server,
      async close() {
        await server.remove();
        await podman?.close();
      },
    };
  } catch (error) {
    await podman?.close();
    throw error;
  }
}
