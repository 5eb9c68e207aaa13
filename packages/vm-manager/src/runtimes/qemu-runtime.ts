/**
 * The runtime `qemu`: each browser VM is a machine with a kernel of its own, by KVM where that really works, else translated (TCG). Puts
 * the parts of `qemu/` in order; what each VM is lies in its folder.
 */
import { join } from 'node:path';
import type { Runtime, VmSpec } from '../runtime.ts';
import { findCurrentImage, type Image } from '../images/image-store.ts';
import { createAccelerators } from '../qemu/accelerator.ts';
import { makeDeviceNode } from '../qemu/device-node.ts';
import { toQemuArgv } from '../qemu/qemu-argv.ts';
import { checkQemuRuntime } from '../qemu/qemu-preflight.ts';
import { createSingleFlight } from '../single-flight.ts';
import { CHANNEL_SOCKETS } from '../supervisor/channel-mux.ts';
import { toAuthorityFiles } from '../vm/authorities.ts';
import { toBrowserPolicy } from '../vm/browser-policy.ts';
import { INTERNET_ONLY } from '../vm/egress-policy.ts';
import { toGuestEnvironment } from '../vm/guest.ts';
import { findNameServers } from '../vm/name-servers.ts';
import { createSupervisedVms } from '../vm/supervised-vms.ts';
import { connectToVmSocket } from '../vm/vm-channel.ts';
import { prepareVmDrives } from '../vm/vm-drives.ts';
import { toVmEtc } from '../vm/vm-etc.ts';
import { createVmCgroups } from '../vm/vm-cgroup.ts';
import { createVmFolders } from '../vm/vm-folders.ts';
import type { ImageVmHostOptions } from '../vm/vm-host-options.ts';
import { DEFAULT_VM_LIMITS, type VmLimits } from '../vm/vm-limits.ts';
import { createVmNetworks, TAP } from '../vm/vm-network.ts';
import { findResources, removeResources, type VmResource } from '../vm/vm-resources.ts';

export type QemuRuntimeOptions = ImageVmHostOptions & {
  /** `auto`: KVM where a guest really runs on it. */
  accelerator: 'auto' | 'tcg';
  /** For tests: files of this machine in the place of the image's, by path inside. */
  overlays?: Readonly<Record<string, string>>;
  /** For tests: what a VM is given to end by itself. Default: a second, longer where guests are slower. */
  stopGraceMs?: number;
};

/** Uids above may belong to somebody. */
const MAX_SLOTS = 4000;
/** The stages of a machine that carry the VM's id in their argv. */
const MACHINE_PROGRAMS = ['nsenter', 'bwrap', 'setpriv', 'qemu-system-x86_64'];
const STOP_GRACE_MS = 1000;
/** Of the grace, for each time that a guest is slower. */
const STOP_GRACE_PACE_MS = 300;
const MAX_STOP_GRACE_MS = 10_000;

/** Of QEMU itself, beside the guest's memory: its translated code, its devices. */
const QEMU_MEMORY_MIB = 768;
/** QEMU's threads, and what surrounds it. */
const QEMU_PIDS = 128;

/** The guest's own kernel bounds what is inside; this bounds QEMU, should it be taken over. */
const toQemuLimits = ({ memoryMib, cpus }: VmLimits) => ({
  ...{ memoryMib: memoryMib + QEMU_MEMORY_MIB, pids: QEMU_PIDS, cpus },
});

export function createQemuRuntime(options: QemuRuntimeOptions): Runtime {
  const { installationId, vmsDir, logsDir, imagesDir, nodePath, supervisorEntry, policyFile } = options;
  const { networkCidr = '10.201.0.0/16', uidBase = 61_000, limits = DEFAULT_VM_LIMITS } = options;
  const { extraAuthorities = null, egress = INTERNET_ONLY, overlays = {} } = options;
  const folders = createVmFolders({ vmsDir, logsDir, installationId });
  const networks = createVmNetworks({ installationId, cidr: networkCidr, egress });
  const cgroups = createVmCgroups(installationId);
  const accelerators = createAccelerators({ imagesDir, wish: options.accelerator, uid: uidBase + MAX_SLOTS });
  const toStopGraceMs = (pace: number): number =>
    options.stopGraceMs ?? Math.min(MAX_STOP_GRACE_MS, Math.max(STOP_GRACE_MS, STOP_GRACE_PACE_MS * pace));
  const vms = createSupervisedVms({
    ...{ folders, nodePath, supervisorEntry, machinePrograms: MACHINE_PROGRAMS },
    // The supervisor's own is in its launch, and is not longer.
    stopGraceMs: options.stopGraceMs ?? MAX_STOP_GRACE_MS,
  });
  const creations = createSingleFlight<void>();

  async function getImage(): Promise<Image> {
    const image = await findCurrentImage(imagesDir);
    if (image === null) throw new Error(`there is no image in ${imagesDir}: vestibule images build`);
    return image;
  }

  async function start(spec: VmSpec): Promise<void> {
    const { vmId, slot } = spec;
    if (!Number.isInteger(slot) || slot < 0 || slot >= MAX_SLOTS)
      throw new Error(`slot ${slot} of ${vmId} is out of range`);
    const uid = uidBase + slot;
    const image = await getImage();
    const { proxy } = egress;
    const [{ accelerator, pace }, nameServers, authorityFiles, policy] = await Promise.all([
      accelerators.find(image),
      findNameServers({ configured: options.vmDns, sharedLoopback: false }),
      toAuthorityFiles(extraAuthorities),
      toBrowserPolicy({ policyFile, extraAuthorities, proxy }),
    ]);
    await folders.prepare(vmId, {}, null);
    const dir = folders.dirOf(vmId);
    const [tunPath, kvmPath] = [join(dir, 'tun'), accelerator === 'kvm' ? join(dir, 'kvm') : null];
    const hasAuthorities = extraAuthorities !== null;
    const [drives] = await Promise.all([
      prepareVmDrives({
        ...{ image, vmDir: dir, owner: uid, layerDir: spec.layer?.dir ?? null },
        config: {
          overlays,
          ...{ machine: 'qemu', limits, etc: { ...toVmEtc(nameServers), ...authorityFiles, ...policy } },
          environment: toGuestEnvironment({ vmId, chromiumPath: options.chromiumPath, hasAuthorities, proxy, pace }),
          network: { address: `${TAP.guest}/${TAP.prefix}`, gateway: TAP.gateway },
        },
      }),
      makeDeviceNode('tun', tunPath, uid),
      kvmPath === null ? null : makeDeviceNode('kvm', kvmPath, uid),
    ]);
    const argv = toQemuArgv({
      ...{ name: vmId, uid, accelerator, kvmPath, drives, memoryMib: limits.memoryMib, cpus: limits.cpus },
      kernelPath: image.pathOf('kernel'),
      initramfsPath: image.pathOf('initramfs'),
      network: { namespacePath: networks.namespacePath(vmId), tunPath },
    });
    const launch = {
      ...{ kind: 'qemu' as const, argv, stopGraceMs: toStopGraceMs(pace) },
      cgroups: (await cgroups?.create(vmId, toQemuLimits(limits))) ?? [],
    };
    folders.writeSpec({ spec, createdAt: new Date().toISOString(), launch });
    await vms.start(vmId, networks.create(vmId, slot, nameServers, { tap: { owner: uid } }));
  }

  async function createOnce(spec: VmSpec): Promise<void> {
    const found = vms.inspect(spec.vmId);
    if (found.state === 'running') return;
    if (found.state === 'exited') throw new Error(`${spec.vmId} has already ended: ${found.exit.reason}`);
    try {
      await start(spec);
    } catch (error) {
      await release(spec.vmId);
      throw new Error(`starting ${spec.vmId}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  /** In the order of making. */
  function resourcesOf(vmId: string): VmResource[] {
    const dir = folders.dirOf(vmId);
    return [
      {
        ...{ kind: 'folder', name: dir },
        exists: async () => folders.exists(vmId),
        remove: () => folders.remove(vmId),
      },
      {
        ...{ kind: 'network', name: vmId },
        exists: async () => networks.exists(vmId),
        remove: () => networks.destroy(vmId),
      },
      {
        ...{ kind: 'cgroup', name: vmId },
        exists: async () => cgroups?.exists(vmId) ?? false,
        remove: async () => cgroups?.remove(vmId),
      },
      {
        ...{ kind: 'processes', name: vmId },
        exists: async () => vms.hasProcesses(vmId),
        async remove() {
          await vms.stop(vmId);
          // Writes down that it vanished, where nobody else could, before its folder goes.
          vms.inspect(vmId);
        },
      },
    ];
  }

  async function release(vmId: string): Promise<void> {
    try {
      await removeResources(vmId, resourcesOf(vmId));
    } finally {
      await networks.dropTable(async () => (await folders.list()).length === 0);
    }
  }

  return {
    kind: 'qemu',
    sharedKernel: false,
    sharedLoopback: false,
    pace: accelerators.pace,

    preflight: () =>
      checkQemuRuntime({
        ...{ supervisorEntry, policyFile, vmsDir, imagesDir, vmDns: options.vmDns, probeUid: uidBase + MAX_SLOTS },
        isRoot: process.geteuid?.() === 0,
        findAccelerator: accelerators.find,
      }),

    create: (spec) => creations.run(spec.vmId, () => createOnce(spec)),

    async inspect(vmId) {
      return vms.inspect(vmId);
    },

    async list() {
      const kept = await Promise.all([folders.list(), networks.list(), cgroups?.list() ?? []]);
      return [...new Set([...kept.flat(), ...vms.list()])].toSorted();
    },

    remains: (vmId) => findResources(resourcesOf(vmId)),

    connect: (vmId, channel) => connectToVmSocket(join(folders.dirOf(vmId), 'run', CHANNEL_SOCKETS[channel])),

    async destroy(vmId) {
      // A create under way would go on behind our back.
      await creations.settled(vmId);
      await release(vmId);
      return folders.findKeptExit(vmId);
    },
  };
}
