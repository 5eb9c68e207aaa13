/**
 * The argv that starts Firecracker in its jail: bubblewrap, for a process namespace that ends with the supervisor, then the jailer.
 *
 * The jailer's own `--new-pid-ns` cannot be used: it exits at once, and nobody would see how Firecracker ended. A parent-death signal alone
 * cannot, either: the kernel clears it when the jailer becomes the VM's uid. So the first process of the namespace is bubblewrap's, which
 * keeps the signal; when it is killed, the kernel ends the jailer and Firecracker whatever uid they have. Its exit code is Firecracker's, or 128
 * plus the number of the signal that killed it.
 *
 * Files of the image are bound into the jail, read-only, in bubblewrap's mount namespace: they vanish with it, on any file system.
 */
import type { Jail } from './jail.ts';
import { IN_JAIL, toHostPath } from './jail.ts';

export type JailerCommand = {
  vmId: string;
  jail: Jail;
  jailerPath: string;
  firecrackerPath: string;
  jailsDir: string;
  uid: number;
  /** Path of the VM's network namespace. */
  networkNamespace: string;
  cgroupVersion: 1 | 2;
  /** `file=value`. */
  cgroupSettings: readonly string[];
  /** Largest file that Firecracker may write, bytes: its scratch disk. */
  fileBytes: number;
  /** Files of this machine, each shown read-only at a path in the jail. */
  binds: readonly { from: string; to: string }[];
  /** The descriptor on which bubblewrap reports the first process of its namespace, as JSON lines. */
  statusFd: number;
};

const MOST_FILES = 2048;

export function toJailerArgv(command: JailerCommand): string[] {
  const { vmId, jail, jailerPath, firecrackerPath, uid } = command;
  return [
    ...['bwrap', '--die-with-parent', '--unshare-pid', '--json-status-fd', String(command.statusFd)],
    ...['--dev-bind', '/', '/', '--setenv', 'VESTIBULE_VM_ID', vmId],
    ...command.binds.flatMap(({ from, to }) => ['--ro-bind', from, toHostPath(jail, to)]),
    ...['--', 'unshare', '--mount-proc', '--'],
    ...[jailerPath, '--id', jail.id, '--exec-file', firecrackerPath, '--uid', String(uid), '--gid', String(uid)],
    ...['--chroot-base-dir', command.jailsDir, '--netns', command.networkNamespace],
    ...['--cgroup-version', String(command.cgroupVersion), '--parent-cgroup', vmId],
    ...command.cgroupSettings.flatMap((setting) => ['--cgroup', setting]),
    ...['--resource-limit', `no-file=${MOST_FILES}`, '--resource-limit', `fsize=${command.fileBytes}`],
    ...['--', '--api-sock', IN_JAIL.apiSocket],
  ];
}
