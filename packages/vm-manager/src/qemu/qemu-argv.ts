/**
 * The argv that starts one QEMU: in the VM's network namespace, in namespaces and a file system of its own in which there is nothing but QEMU
 * and the VM's drives, as the VM's own uid without any capability, under QEMU's own system call filter.
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { TAP } from '../vm/vm-network.ts';
import type { VmDrive } from '../vm/vm-drives.ts';

export type Accelerator = 'kvm' | 'tcg';

/** Descriptors that the supervisor gives QEMU, each one end of a pair of sockets: none of them has a name that others could find. */
export const QEMU_FD = { status: 3, qmp: 4, channels: 5, lifecycle: 6, console: 7 } as const;

/** Names of the virtio-serial ports, as the guest sees them and as QMP calls them. */
export const PORT = { channels: 'vestibule.channels', lifecycle: 'vestibule.lifecycle' } as const;

/** What every QEMU is given. */
type QemuBase = {
  /** In QEMU's argv, so that its process tells whose it is. */
  name: string;
  uid: number;
  memoryMib: number;
  cpus: number;
  accelerator: Accelerator;
  /** A node of /dev/kvm that the uid may open; null for `tcg`. */
  kvmPath: string | null;
  /** Paths on this machine. */
  kernelPath: string;
  initramfsPath: string;
};

export type QemuMachine = QemuBase & {
  drives: readonly VmDrive[];
  /** The VM's network namespace, and a device node for its tap, which the uid may open. */
  network: { namespacePath: string; tunPath: string };
};

export const QEMU = '/usr/bin/qemu-system-x86_64';
/** Where the VM's files are in QEMU's file system. */
const INSIDE = '/vm';
const SYSCALL_FILTER = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';
/** What translated code may take of this machine's memory, MiB; QEMU's default is an eighth of all. */
const TRANSLATION_MIB = 512;

export function toQemuArgv(machine: QemuMachine): string[] {
  const { network, drives } = machine;
  return [
    ...['nsenter', `--net=${network.namespacePath}`, '--'],
    ...toJail(
      machine,
      ['--json-status-fd', String(QEMU_FD.status), '--dir', '/dev/net', '--dev-bind', network.tunPath, '/dev/net/tun'],
      drives,
    ),
    ...toMachineOptions(machine, []),
    ...toDevices(drives),
  ];
}

/** A guest that only says on stdout that it ran (`images/guest/initramfs-init`): no drive, no network, no channel. */
export function toProbeArgv(machine: QemuBase): string[] {
  return [
    ...toJail(machine, ['--unshare-net'], []),
    ...toMachineOptions(machine, ['vestibule.probe']),
    ...['-chardev', 'stdio,id=console', '-serial', 'chardev:console'],
  ];
}

/**
 * Folders are made before what is bound below them, for bubblewrap would make them for root alone. When the outermost process dies, the kernel ends all in its
 * process namespace.
 */
function toJail(machine: QemuBase, more: readonly string[], drives: readonly VmDrive[]): string[] {
  const { kernelPath, initramfsPath, kvmPath, uid } = machine;
  const files = [{ path: kernelPath, name: 'kernel' }, { path: initramfsPath, name: 'initramfs' }, ...drives];
  return [
    ...['bwrap', '--die-with-parent', '--new-session', '--unshare-pid', '--unshare-ipc', '--unshare-uts'],
    ...['--clearenv', '--setenv', 'PATH', '/usr/bin'],
    ...['--ro-bind', '/usr', '/usr', ...toLinksIntoUsr(), '--ro-bind-try', '/etc/ld.so.cache', '/etc/ld.so.cache'],
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--dir', INSIDE],
    ...(kvmPath === null ? [] : ['--dev-bind', kvmPath, '/dev/kvm']),
    ...files.flatMap(({ path, name }) => ['--ro-bind', path, `${INSIDE}/${name}`]),
    ...[...more, '--remount-ro', '/', '--chdir', '/', '--'],
    ...['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--no-new-privs'],
    ...['--inh-caps=-all', '--bounding-set=-all', '--', QEMU],
  ];
}

function toLinksIntoUsr(): string[] {
  return ['/bin', '/sbin', '/lib', '/lib64'].flatMap((path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    return stat.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
  });
}

function toMachineOptions(machine: QemuBase, more: readonly string[]): string[] {
  const { name, accelerator, memoryMib, cpus } = machine;
  const isTranslated = accelerator === 'tcg';
  // There is no speculation in translated code to protect from.
  const kernelArguments = ['console=ttyS0', 'quiet', 'panic=-1', ...(isTranslated ? ['mitigations=off'] : [])];
  return [
    ...['-name', name, '-machine', 'q35,usb=off,vmport=off', '-nodefaults', '-no-user-config', '-no-reboot'],
    ...['-accel', isTranslated ? `tcg,tb-size=${TRANSLATION_MIB}` : 'kvm', '-cpu', isTranslated ? 'qemu64' : 'host'],
    ...['-smp', String(Math.max(1, Math.ceil(cpus))), '-m', String(memoryMib), '-display', 'none'],
    ...['-sandbox', SYSCALL_FILTER],
    ...['-kernel', `${INSIDE}/kernel`, '-initrd', `${INSIDE}/initramfs`],
    ...['-append', [...kernelArguments, ...more].join(' ')],
  ];
}

function toDevices(drives: readonly VmDrive[]): string[] {
  const ports = (['channels', 'lifecycle'] as const).flatMap((port) => [
    ...['-chardev', `socket,id=${port},fd=${QEMU_FD[port]}`],
    ...['-device', `virtserialport,chardev=${port},name=${PORT[port]},id=${PORT[port]}`],
  ]);
  return [
    ...['-chardev', `socket,id=qmp,fd=${QEMU_FD.qmp}`, '-mon', 'chardev=qmp,mode=control'],
    ...['-chardev', `socket,id=console,fd=${QEMU_FD.console}`, '-serial', 'chardev:console'],
    ...drives.flatMap(({ name }) => [
      ...['-blockdev', `driver=raw,node-name=${name},read-only=on,file.driver=file,file.filename=${INSIDE}/${name}`],
      ...['-device', `virtio-blk-pci,drive=${name}`],
    ]),
    ...['-netdev', `tap,id=net,ifname=${TAP.device},script=no,downscript=no`],
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-device', 'virtio-serial-pci', ...ports],
    ...['-object', 'rng-random,id=rng,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng'],
    ...['-device', 'pvpanic'],
  ];
}
