/** Ends the browser machines that a stopped Vestibule left: they outlive it on purpose, and a test must leave nothing. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../packages/controller/src/config.ts';
import { createRuntime } from '../../packages/controller/src/create-runtime.ts';
import { openDataFolder } from '../../packages/controller/src/data-folder.ts';
import { findProductFolder } from '../../packages/controller/src/product-folder.ts';

/** `settings`: of the Vestibule, as far as they say how its machines are run. */
export async function destroyLeftoverMachines(
  dataDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (!existsSync(join(dataDir, 'installation-id'))) return;
  const isOfRuntime = (name: string): boolean => /_(RUNTIME|IMAGES_DIR|CONTAINER|FIRECRACKER|JAILER|QEMU)/.test(name);
  const ofRuntime = Object.entries(settings).filter(([name]) => isOfRuntime(name));
  const runtime = createRuntime({
    config: loadConfig({ ...Object.fromEntries(ofRuntime), VESTIBULE_DATA_DIR: dataDir }),
    folder: openDataFolder(dataDir, null),
    product: findProductFolder(),
  });
  for (const vmId of await runtime.list()) await runtime.destroy(vmId);
}
