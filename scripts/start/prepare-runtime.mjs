/** What a runtime needs besides packages before the controller starts: an image, an engine. Never stops a start. */
import { join } from 'node:path';
import { findSetting } from './flags.mjs';
import { ROOT } from './paths.mjs';
import { ensurePodmanService } from './podman-service.mjs';
import { runInTerminal } from './run-program.mjs';

const FROM_AN_IMAGE = new Set(['container', 'qemu', 'firecracker']);
const VESTIBULE = join(ROOT, 'packages', 'cli', 'bin', 'vestibule.mjs');

/**
 * Builds the image when there is none; its progress is the command's own.
 * @param {readonly string[]} controllerArgs
 * @param {NodeJS.ProcessEnv} env
 */
async function ensureImage(controllerArgs, env) {
  const places = ['VESTIBULE_DATA_DIR', 'VESTIBULE_IMAGES_DIR'].flatMap((name) => {
    const value = findSetting(name, controllerArgs, env);
    return value === undefined ? [] : [[name, value]];
  });
  const code = await runInTerminal(process.execPath, [VESTIBULE, 'images', 'build', '--if-missing'], {
    cwd: process.cwd(),
    env: { ...env, ...Object.fromEntries(places) },
  });
  if (code !== 0) {
    console.log('There is no image for browser VMs; why is above. Starting with what works. To try again:\n');
    console.log('  npx vestibule images build\n');
  }
}

/**
 * @param {string} runtime
 * @param {{ controllerArgs: readonly string[], env: NodeJS.ProcessEnv, install: boolean }} options
 * @returns {Promise<() => Promise<void>>} ends what was started here
 */
export async function prepareRuntime(runtime, { controllerArgs, env, install }) {
  if (FROM_AN_IMAGE.has(runtime) && install) await ensureImage(controllerArgs, env);
  const isOurs = findSetting('VESTIBULE_CONTAINER_SOCKET', controllerArgs, env) === undefined;
  return runtime === 'container' && isOurs ? ensurePodmanService() : async () => {};
}
