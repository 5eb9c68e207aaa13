/**
 * The folder in which a VM makes its sockets. It is the VM's to fill, so as root it is a small file system of its own: what is written there
 * is bounded and never on this machine's disk.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { runCommand } from '../system/run-command.ts';

const SIZE = '4m';
const INODES = 256;

/** `dir` exists, in the VM's folder, whose name the list of mounts then shows; `owner`: the uid of the VM. */
export async function mountRunFolder(dir: string, owner: number): Promise<void> {
  const options = `size=${SIZE},nr_inodes=${INODES},mode=0700,uid=${owner},gid=${owner},nosuid,nodev,noexec`;
  await runCommand(['mount', '-t', 'tmpfs', '-o', options, basename(dirname(dir)), dir]);
}

/** Idempotent. At once, though somebody may still look into it. */
export async function unmountRunFolder(dir: string): Promise<void> {
  while (await isMounted(dir)) await runCommand(['umount', '--lazy', dir]);
}

/** As /proc/self/mountinfo writes it: with octal codes for what would part its fields. */
export async function isMounted(dir: string): Promise<boolean> {
  const written = dir.replaceAll(/[\s\\]/g, (sign) => `\\${sign.charCodeAt(0).toString(8).padStart(3, '0')}`);
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  return text.split('\n').some((line) => line.split(' ')[4] === written);
}
