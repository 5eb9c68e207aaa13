/**
 * The home of a VM whose files lie on this machine: a memory file system of its own, in the VM's folder. Container engines can make one, too,
 * but not all of them one that belongs to a user. As root.
 */
import { mkdir } from 'node:fs/promises';
import { runCommand } from '../system/run-command.ts';
import { isMounted } from './run-folder.ts';

/** `dir` must not be there. Only `owner` can look into it; it takes no more than `mib`. */
export async function mountHome(dir: string, owner: number, mib: number): Promise<void> {
  await mkdir(dir, { mode: 0o700 });
  const options = `size=${mib}m,nr_inodes=${mib * 256},mode=0700,uid=${owner},gid=${owner},nosuid,nodev`;
  await runCommand(['mount', '-t', 'tmpfs', '-o', options, 'vestibule-home', dir]);
}

/** Idempotent; what was in it is gone. At once, though somebody may still look into it. */
export async function unmountHome(dir: string): Promise<void> {
  // A crash may have come between two mounts of it.
  while (await isMounted(dir)) await runCommand(['umount', '--lazy', dir]);
}
