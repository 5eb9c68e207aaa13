/** A node of one of the kernel's devices that one uid alone may open, in a VM's own folder: this machine's own is often root's. */
import { chown, rm } from 'node:fs/promises';
import { runCommand } from '../system/run-command.ts';

/** Numbers as in the kernel's Documentation/admin-guide/devices.txt. */
const DEVICES = { kvm: ['10', '232'], tun: ['10', '200'] } as const;

/** Needs root with CAP_MKNOD, and a file system that allows devices. */
export async function makeDeviceNode(device: keyof typeof DEVICES, path: string, uid: number): Promise<void> {
  await rm(path, { force: true });
  await runCommand(['mknod', '--mode=0600', path, 'c', ...DEVICES[device]]);
  await chown(path, uid, uid);
}
