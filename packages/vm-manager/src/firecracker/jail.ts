/**
 * The jail of one VM, as the jailer lays it out: `<jailsDir>/firecracker/<jail id>/root`, which becomes the root of Firecracker's own file
 * system. The jailer makes the folder its uid's and puts the binary, /dev/kvm and /dev/net/tun into it; what is ours in it before that are the
 * mount points of read-only files. Nothing in a jail is trusted: its uid may replace it all.
 */
import { rmSync } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Paths as Firecracker sees them, in its jail. Directly below its root, whose folder is not the jail's own to replace. */
export const IN_JAIL = {
  apiSocket: '/api.sock',
  vsock: '/v.sock',
  kernel: '/vmlinux',
  initramfs: '/initramfs',
} as const;

export type Jail = {
  id: string;
  /** What the jailer was told, and what is to be removed. */
  dir: string;
  root: string;
};

/** The jailer takes letters, digits and `-`, at most 64. */
export function toJailId(vmId: string): string {
  const id = vmId.replaceAll('_', '-');
  if (!/^[A-Za-z0-9-]{1,64}$/.test(id)) throw new Error(`${vmId} cannot be the id of a jail`);
  return id;
}

export function toJail(jailsDir: string, firecrackerPath: string, vmId: string): Jail {
  const id = toJailId(vmId);
  const dir = join(jailsDir, basename(firecrackerPath), id);
  return { id, dir, root: join(dir, 'root') };
}

/** The path on this machine of a path in the jail. */
export const toHostPath = (jail: Jail, path: string): string => join(jail.root, path);

/** Makes the jail anew, with an empty file at each of `mountPoints`. Root's until the jailer takes over. */
export async function prepareJail(jail: Jail, mountPoints: readonly string[]): Promise<void> {
  await removeJail(jail);
  await mkdir(jail.root, { recursive: true, mode: 0o700 });
  for (const path of mountPoints) await (await open(toHostPath(jail, path), 'wx', 0o444)).close();
}

/** Idempotent. Never follows a link. */
export async function removeJail(jail: Jail): Promise<void> {
  await rm(jail.dir, { recursive: true, force: true });
}

/** Removes what an ended Firecracker leaves behind, so that whoever comes finds nobody rather than a dead socket. */
export function removeJailSockets(root: string): void {
  for (const path of [IN_JAIL.apiSocket, IN_JAIL.vsock]) rmSync(join(root, path), { force: true });
}

/** Ids of VMs of this installation that have a jail. */
export async function listJails(jailsDir: string, firecrackerPath: string, installationId: string): Promise<string[]> {
  const prefix = toJailId(`vm_${installationId}_`);
  const names = await readdir(join(jailsDir, basename(firecrackerPath))).catch(() => []);
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => `vm_${installationId}_${name.slice(prefix.length)}`);
}
