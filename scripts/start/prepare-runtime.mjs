/** What a runtime needs besides packages before the controller starts: an image, an engine. Never stops a start. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findSetting } from './flags.mjs';
import { ROOT } from './paths.mjs';
import { ensurePodmanService } from './podman-service.mjs';
import { runInTerminal } from './run-program.mjs';

const FROM_AN_IMAGE = new Set(['container', 'qemu', 'firecracker']);
const VESTIBULE = join(ROOT, 'packages', 'cli', 'bin', 'vestibule.mjs');

/**
 * As the controller finds them.
 * @param {readonly string[]} controllerArgs
 * @param {NodeJS.ProcessEnv} env
 */
export function findImagesDir(controllerArgs, env) {
  const shared = env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  const ordinary = process.getuid?.() === 0 ? '/var/lib/vestibule' : join(shared, 'vestibule');
  const dataDir = findSetting('VESTIBULE_DATA_DIR', controllerArgs, env) ?? ordinary;
  return findSetting('VESTIBULE_IMAGES_DIR', controllerArgs, env) ?? join(dataDir, 'images');
}

/**
 * Builds what changed of the image; seconds when nothing did. The command shows its progress.
 * @param {string} imagesDir
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<boolean>} whether it worked
 */
export async function buildImage(imagesDir, env) {
  console.log('Looking after the image that browser VMs start from (a minute or more the first time)…');
  const code = await runInTerminal(process.execPath, [VESTIBULE, 'images', 'build'], {
    env: { ...env, VESTIBULE_IMAGES_DIR: imagesDir },
  });
  return code === 0;
}

/**
 * @param {string} runtime
 * @param {{ controllerArgs: readonly string[], env: NodeJS.ProcessEnv, install: boolean }} options
 * @returns {Promise<() => Promise<void>>} ends what was started here
 */
export async function prepareRuntime(runtime, { controllerArgs, env, install }) {
  if (install && FROM_AN_IMAGE.has(runtime) && !(await buildImage(findImagesDir(controllerArgs, env), env))) {
    console.log('The image could not be built; why is above. Starting with what works. To try again:\n');
    console.log('  npx vestibule images build\n');
  }
  const isOurs = findSetting('VESTIBULE_CONTAINER_SOCKET', controllerArgs, env) === undefined;
  return runtime === 'container' && isOurs ? ensurePodmanService() : async () => {};
}
