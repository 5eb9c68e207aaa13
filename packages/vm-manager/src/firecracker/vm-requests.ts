/** What Firecracker is told about a VM before it starts it, in order. Pure. */
import { TAP } from '../vm/vm-network.ts';
import type { VmLimits } from '../vm/vm-limits.ts';
import { VSOCK } from '../vm/vsock-ports.ts';
import type { FirecrackerRequest, RateLimiter } from './api-requests.ts';
import { IN_JAIL } from './jail.ts';

export type VmDisk = { id: string; /** In the jail. */ path: string; readOnly: boolean };

const MIB = 1024 * 1024;
const SECOND_MS = 1000;
const MOST_VCPUS = 32;

/**
 * `reboot=k`: the guest restarts by the keyboard controller, the one reset that Firecracker has; it then exits with 0. `panic=1`: a panic ends
 * the VM the same way rather than never. A guest that powers off does not end Firecracker on x86.
 */
export const BOOT_ARGUMENTS = [
  'console=ttyS0',
  'reboot=k',
  'panic=1',
  'pci=off',
  'i8042.noaux',
  'i8042.nomux',
  'i8042.dumbkbd',
  'random.trust_cpu=on',
  'loglevel=4',
];

/** Enough for a browser at once, too little to starve another VM. */
const DISK_RATE: RateLimiter = {
  bandwidth: { size: 100 * MIB, refill_time: SECOND_MS, one_time_burst: 1024 * MIB },
  ops: { size: 5000, refill_time: SECOND_MS, one_time_burst: 50_000 },
};
const NETWORK_RATE: RateLimiter = {
  bandwidth: { size: 25 * MIB, refill_time: SECOND_MS, one_time_burst: 50 * MIB },
  ops: { size: 20_000, refill_time: SECOND_MS },
};
const ENTROPY_RATE: RateLimiter = { bandwidth: { size: 64 * 1024, refill_time: SECOND_MS, one_time_burst: MIB } };

/** One, or an even number: Firecracker takes no other. A fraction of a processor is the cgroup's to hold. */
export function toVcpuCount(cpus: number): number {
  const whole = Math.max(1, Math.ceil(cpus));
  return Math.min(MOST_VCPUS, whole === 1 ? 1 : whole + (whole % 2));
}

export function toVmRequests(limits: VmLimits, disks: readonly VmDisk[]): FirecrackerRequest[] {
  return [
    { path: '/logger', body: { level: 'Warning', show_level: true } },
    { path: '/machine-config', body: { vcpu_count: toVcpuCount(limits.cpus), mem_size_mib: limits.memoryMib } },
    {
      path: '/boot-source',
      body: {
        kernel_image_path: IN_JAIL.kernel,
        initrd_path: IN_JAIL.initramfs,
        boot_args: BOOT_ARGUMENTS.join(' '),
      },
    },
    ...disks.map(({ id, path, readOnly }): FirecrackerRequest => ({
      path: `/drives/${id}`,
      // No disk is the root device: the initramfs mounts them, by their order.
      body: {
        ...{ drive_id: id, path_on_host: path, is_root_device: false, is_read_only: readOnly },
        ...{ cache_type: 'Unsafe', io_engine: 'Sync', rate_limiter: DISK_RATE },
      },
    })),
    {
      path: '/network-interfaces/eth0',
      body: {
        ...{ iface_id: 'eth0', host_dev_name: TAP.device },
        ...{ rx_rate_limiter: NETWORK_RATE, tx_rate_limiter: NETWORK_RATE },
      },
    },
    { path: '/vsock', body: { guest_cid: VSOCK.guestCid, uds_path: IN_JAIL.vsock } },
    { path: '/entropy', body: { rate_limiter: ENTROPY_RATE } },
    { path: '/actions', body: { action_type: 'InstanceStart' } },
  ];
}
