/**
 * The drives of a VM with a kernel of its own, in the order in which `images/guest/init` expects them, all read-only: what a VM writes is in
 * its memory and gone with it, and no disk ever holds what a person typed.
 */
import { chmod, chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image } from '../images/image-store.ts';
import { AUTHORITY_FILES } from './authorities.ts';
import { BROWSER_POLICY_FILE } from './browser-policy.ts';
import { GUEST } from './guest.ts';
import { prepareLayerImage } from './layer-image.ts';
import { toTar } from './tar.ts';
import type { VmLimits } from './vm-limits.ts';
import { VSOCK } from './vsock-ports.ts';

export type VmDrive = { name: 'root' | 'config' | 'layer'; /** On this machine. */ path: string };

export type VmConfig = {
  /** How the guest reaches its channels. */
  machine: 'qemu' | 'firecracker';
  /** Files of its /etc by name (`toVmEtc`), those of extra authorities (`toAuthorityFiles`), and the browser's policy (`toBrowserPolicy`). */
  etc: Readonly<Record<string, string>>;
  /** All that the agent is started with (`toGuestEnvironment`). */
  environment: Readonly<Record<string, string>>;
  limits: VmLimits;
  /** Null for a VM without a network. `address` with its prefix length. */
  network: { address: string; gateway: string } | null;
  /** For tests: files of this machine in the place of the image's, by path inside. */
  overlays?: Readonly<Record<string, string>>;
};

export type VmDrivesQuery = {
  image: Image;
  vmDir: string;
  /** Who reads the drives on this machine. */
  owner: number;
  layerDir: string | null;
  config: VmConfig;
};

/** Writes the drive with the configuration into the VM's folder, and makes the layer's when it is its first use. */
export async function prepareVmDrives(query: VmDrivesQuery): Promise<VmDrive[]> {
  const { image, vmDir, owner, layerDir, config } = query;
  const configPath = join(vmDir, 'config.tar');
  const [layerPath] = await Promise.all([
    layerDir === null ? null : prepareLayerImage(layerDir),
    toConfigFiles(config).then((files) => writeFile(configPath, toTar(files), { mode: 0o400 })),
  ]);
  await chmod(configPath, 0o400);
  await chown(configPath, owner, owner);
  return [
    { name: 'root', path: image.pathOf('rootfs') },
    { name: 'config', path: configPath },
    ...(layerPath === null ? [] : [{ name: 'layer' as const, path: layerPath }]),
  ];
}

/** By path within the tar; `images/guest/init` tells what becomes of them. */
async function toConfigFiles(config: VmConfig): Promise<Record<string, string | Buffer>> {
  const { extra, all } = AUTHORITY_FILES;
  const { [extra]: extraPem, [all]: allPem, [BROWSER_POLICY_FILE]: policy = '{}\n', ...etc } = config.etc;
  return {
    ...Object.fromEntries(Object.entries(etc).map(([name, text]) => [`etc/${name}`, text])),
    [GUEST.policyFile.slice(1)]: policy,
    ...(extraPem !== undefined && { [`authorities/${extra}`]: extraPem }),
    ...(allPem !== undefined && { [`authorities/${all}`]: allPem }),
    ...(await readOverlays(config.overlays ?? {})),
    environment: toLines(config.environment),
    machine: toLines({
      machine: config.machine,
      disk_mib: String(config.limits.diskMib),
      pids: String(config.limits.pids),
      address: config.network?.address ?? '',
      gateway: config.network?.gateway ?? '',
      ...(config.machine === 'firecracker' && {
        agent_port: String(VSOCK.agentPort),
        display_port: String(VSOCK.displayPort),
        lifecycle_port: String(VSOCK.lifecyclePort),
      }),
    }),
  };
}

async function readOverlays(overlays: Readonly<Record<string, string>>): Promise<Record<string, Buffer>> {
  const files = Object.entries(overlays).map(
    async ([inside, path]) => [`over${inside}`, await readFile(path)] as const,
  );
  return Object.fromEntries(await Promise.all(files));
}

function toLines(values: Readonly<Record<string, string>>): string {
  const odd = Object.values(values).find((value) => value.includes('\n'));
  if (odd !== undefined) throw new Error(`a variable of a VM cannot hold a line feed: ${JSON.stringify(odd)}`);
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
