/**
 * The CLIs of this host, each a read-only layer: installed once for each version, by an unprivileged user, complete or absent.
 * On disk: `<layers folder>/<provider>-<version>-<hash of the install block>/`, renamed into place when it is whole.
 */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { installFromDebian } from './layers/debian-install.ts';
import { lockInstall } from './layers/install-lock.ts';
import { makeReadOnly } from './layers/layer-tree.ts';
import { installFromNpm } from './layers/npm-install.ts';
import type { InstallRequest } from './layers/unprivileged-install.ts';
import { GUEST } from './vm/guest.ts';
import { createSingleFlight } from './single-flight.ts';

type Install = ProviderDefinition['install'];

export type ProviderLayersOptions = {
  layersDir: string;
  /** Root only: the uid that runs the package manager. Default 60999; nobody else may have it. */
  installerUid?: number;
  /** The variables of this process; the package manager is told those that say how the registry is reached, and no other. */
  environment?: Readonly<Record<string, string | undefined>>;
};

export type ProviderLayers = {
  /** The layer's folder, or null when it is not installed. */
  find(definition: ProviderDefinition): string | null;
  /**
   * Installs it unless it is there, and returns its folder. `definitionDir`: where the definition's file is, for programs bundled beside it.
   * Calls at once, also from other processes, share one installation. `onProgress` gets words for a person about once a second.
   */
  install(
    definition: ProviderDefinition,
    definitionDir: string,
    onProgress: (message: string) => void,
  ): Promise<string>;
};

const INSTALLER_UID = 60_999;

/** Absolute path of the CLI inside the VM. */
export function toProgramPath({ install }: ProviderDefinition): string {
  return join(GUEST.layerDir, toBinPath(install));
}

/** A name is one of npm's; a path, for programs that only an install script would give a name, is below `node_modules`. */
function toBinPath(install: Install): string {
  if (install.kind !== 'npm') return install.bin;
  if (!install.bin.includes('/')) return join('node_modules', '.bin', install.bin);
  return join('node_modules', install.bin.replaceAll('${arch}', process.arch));
}

export function createProviderLayers(options: ProviderLayersOptions): ProviderLayers {
  const { layersDir, installerUid = INSTALLER_UID, environment = {} } = options;
  const installations = createSingleFlight<string>();

  function dirOf({ id, install }: ProviderDefinition): string {
    const hash = createHash('sha256').update(JSON.stringify(install)).digest('hex').slice(0, 12);
    return join(layersDir, `${id}-${install.version}-${hash}`);
  }

  async function installOnce(
    definition: ProviderDefinition,
    definitionDir: string,
    onProgress: (message: string) => void,
  ): Promise<string> {
    const { install } = definition;
    const dir = dirOf(definition);
    await mkdir(layersDir, { recursive: true, mode: 0o755 });
    const unlock = await lockInstall(`${dir}.lock`, () => onProgress('Another process is installing it.'));
    const staging = `${dir}.partial`;
    try {
      if (existsSync(dir)) return dir;
      await rm(staging, { recursive: true, force: true });
      await fill(install, definitionDir, { target: staging, installerUid, environment, onProgress });
      await requireBin(staging, install);
      await makeReadOnly(staging);
      await rename(staging, dir);
      return dir;
    } finally {
      await rm(staging, { recursive: true, force: true });
      await unlock();
    }
  }

  return {
    find(definition) {
      const dir = dirOf(definition);
      return statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true ? dir : null;
    },

    install: (definition, definitionDir, onProgress) =>
      installations.run(dirOf(definition), () => installOnce(definition, definitionDir, onProgress)),
  };
}

function fill(install: Install, definitionDir: string, request: InstallRequest): Promise<void> {
  switch (install.kind) {
    case 'npm':
      return installFromNpm(install, request);
    case 'debian':
      return installFromDebian(install, request);
    case 'bundled':
      return copyBundled(join(definitionDir, install.folder), request.target);
  }
}

async function copyBundled(from: string, to: string): Promise<void> {
  if (!existsSync(from)) throw new Error(`the folder ${from} of the definition does not exist`);
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
}

async function requireBin(dir: string, install: Install): Promise<void> {
  const path = toBinPath(install);
  const found = await stat(join(dir, path)).catch(() => null);
  if (found?.isFile() !== true)
    throw new Error(`what was installed has no program "${install.bin}" (looked for ${path})`);
}
