/**
 * The runtime `firecracker`: each browser VM is a microVM of its own in the jail of Firecracker's jailer: own uid, root folder, cgroups, network
 * namespace. Agent and display are reached over vsock. Puts the parts of `firecracker/` in order; what each VM is lies in its folder.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { checkFirecracker } from '../firecracker/firecracker-preflight.ts';
import { IN_JAIL, listJails, prepareJail, removeJail, toHostPath, toJail, type Jail } from '../firecracker/jail.ts';
import { findJailCgroups } from '../firecracker/jail-cgroups.ts';
import { toJailerArgv } from '../firecracker/jailer-argv.ts';
import { toVmRequests, type VmDisk } from '../firecracker/vm-requests.ts';
import { openVsockPort, waitForFirstBytes } from '../firecracker/vsock.ts';
import { findCurrentImage } from '../images/image-store.ts';
import type { Runtime, VmSpec } from '../runtime.ts';
import { createSingleFlight } from '../single-flight.ts';
import { STARTED_FILE } from '../supervisor/firecracker-machine.ts';
import type { FirecrackerLaunch } from '../supervisor/launch.ts';
import { toAuthorityFiles } from '../vm/authorities.ts';
import { toBrowserPolicy } from '../vm/browser-policy.ts';
import { INTERNET_ONLY } from '../vm/egress-policy.ts';
import { toGuestEnvironment } from '../vm/guest.ts';
import { findNameServers } from '../vm/name-servers.ts';
import { createSupervisedVms, STATUS_FD } from '../vm/supervised-vms.ts';
import { connectToVmSocket } from '../vm/vm-channel.ts';
import { prepareVmDrives } from '../vm/vm-drives.ts';
import { toVmEtc } from '../vm/vm-etc.ts';
import { createVmFolders } from '../vm/vm-folders.ts';
import type { ImageVmHostOptions } from '../vm/vm-host-options.ts';
import { DEFAULT_VM_LIMITS } from '../vm/vm-limits.ts';
import { createVmNetworks, TAP } from '../vm/vm-network.ts';
import { findResources, removeResources, type VmResource } from '../vm/vm-resources.ts';
import { VSOCK } from '../vm/vsock-ports.ts';

export type FirecrackerRuntimeOptions = ImageVmHostOptions & {
  firecrackerPath: string;
  jailerPath: string;
  /** Where jails are; see `firecracker/jail.ts`. Every folder on its path must be root's own. */
  jailsDir: string;
};

/** Uids above may belong to somebody. */
const MAX_SLOTS = 4000;
/** The stages of a jail that carry the VM's id in their argv. */
const JAIL_PROGRAMS = ['bwrap'];
const STOP_GRACE_MS = 1000;
/** For the jailer, and Firecracker's answers to all that it is told. */
const START_MS = 30_000;
const LOOK_AGAIN_MS = 5;
/** All disks are read-only, and what it logs goes through a pipe. */
const FILE_BYTES = 1024 * 1024;
const PORTS = { agent: VSOCK.agentPort, display: VSOCK.displayPort } as const;

export function createFirecrackerRuntime(options: FirecrackerRuntimeOptions): Runtime {
  const { installationId, vmsDir, logsDir, imagesDir, jailsDir, firecrackerPath, jailerPath } = options;
  const { networkCidr = '10.201.0.0/16', uidBase = 61_000, extraAuthorities = null } = options;
  const { egress = INTERNET_ONLY, limits = DEFAULT_VM_LIMITS } = options;
  const folders = createVmFolders({ vmsDir, logsDir, installationId });
  const networks = createVmNetworks({ installationId, cidr: networkCidr, egress });
  const vms = createSupervisedVms({
    ...{ folders, nodePath: options.nodePath, supervisorEntry: options.supervisorEntry },
    ...{ machinePrograms: JAIL_PROGRAMS, stopGraceMs: STOP_GRACE_MS },
  });
  const cgroups = findJailCgroups();
  const creations = createSingleFlight<void>();
  const jailOf = (vmId: string): Jail => toJail(jailsDir, firecrackerPath, vmId);

  async function prepareDisks({ vmId, layer }: VmSpec, uid: number, nameServers: readonly string[]) {
    const image = await findCurrentImage(imagesDir);
    if (image === null) throw new Error('no image for browser machines was built: vestibule images build');
    const drives = await prepareVmDrives({
      ...{ image, vmDir: folders.dirOf(vmId), owner: uid, layerDir: layer?.dir ?? null },
      config: {
        ...{ machine: 'firecracker', limits },
        etc: {
          ...toVmEtc(nameServers),
          ...(await toAuthorityFiles(extraAuthorities)),
          ...(await toBrowserPolicy({ policyFile: options.policyFile, extraAuthorities, proxy: egress.proxy })),
        },
        environment: toGuestEnvironment({
          ...{ vmId, chromiumPath: options.chromiumPath, proxy: egress.proxy, pace: 1 },
          hasAuthorities: extraAuthorities !== null,
        }),
        network: { address: `${TAP.guest}/${TAP.prefix}`, gateway: TAP.gateway },
      },
    });
    const disks = drives.map(({ name }): VmDisk => ({ id: name, path: `/${name}.img`, readOnly: true }));
    const binds = [
      { from: image.pathOf('vmlinux'), to: IN_JAIL.kernel },
      { from: image.pathOf('initramfs'), to: IN_JAIL.initramfs },
      ...drives.map(({ name, path }) => ({ from: path, to: `/${name}.img` })),
    ];
    return { disks, binds };
  }

  async function start(spec: VmSpec): Promise<void> {
    const { vmId, slot } = spec;
    if (!Number.isInteger(slot) || slot < 0 || slot >= MAX_SLOTS)
      throw new Error(`slot ${slot} of ${vmId} is out of range`);
    if (cgroups === null) throw new Error('no cgroups with memory, pids and cpu on this machine');
    const [uid, jail] = [uidBase + slot, jailOf(vmId)];
    const nameServers = await findNameServers({ configured: options.vmDns, sharedLoopback: false });
    await folders.prepare(vmId, {}, uid);
    const { disks, binds } = await prepareDisks(spec, uid, nameServers);
    await prepareJail(
      jail,
      binds.map(({ to }) => to),
    );
    const launch: FirecrackerLaunch = {
      ...{ kind: 'firecracker', jailRoot: jail.root, uid, stopGraceMs: STOP_GRACE_MS },
      argv: toJailerArgv({
        ...{ vmId, jail, jailerPath, firecrackerPath, jailsDir, uid, binds },
        networkNamespace: networks.namespacePath(vmId),
        cgroupVersion: cgroups.version,
        cgroupSettings: cgroups.toSettings(limits),
        fileBytes: FILE_BYTES,
        statusFd: STATUS_FD,
      }),
      requests: toVmRequests(limits, disks),
    };
    folders.writeSpec({ spec, createdAt: new Date().toISOString(), launch });
    await vms.start(vmId, networks.create(vmId, slot, nameServers, { tap: { owner: uid } }));
    await untilStarted(vmId);
  }

  /** Until Firecracker took everything it was told: what it refuses is this VM's failure to start. */
  async function untilStarted(vmId: string): Promise<void> {
    const mark = join(folders.dirOf(vmId), STARTED_FILE);
    for (const deadline = performance.now() + START_MS; !existsSync(mark); await delay(LOOK_AGAIN_MS)) {
      const found = vms.inspect(vmId);
      if (found.state === 'exited' && !existsSync(mark)) throw new Error(found.exit.reason);
      if (performance.now() > deadline) throw new Error(`Firecracker did not start it within ${START_MS} ms`);
    }
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

  /** In the order of making. Mounts and Firecracker's own sockets go with the processes and the jail. */
  function resourcesOf(vmId: string): VmResource[] {
    const jail = jailOf(vmId);
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
      { ...{ kind: 'jail', name: jail.dir }, exists: async () => existsSync(jail.dir), remove: () => removeJail(jail) },
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
    kind: 'firecracker',
    sharedKernel: false,
    sharedLoopback: false,
    pace: () => 1,

    preflight: () => checkFirecracker({ ...options, uidBase, slots: MAX_SLOTS }),

    create: (spec) => creations.run(spec.vmId, () => createOnce(spec)),

    async inspect(vmId) {
      return vms.inspect(vmId);
    },

    async list() {
      const all = await Promise.all([
        folders.list(),
        networks.list(),
        listJails(jailsDir, firecrackerPath, installationId),
        ...(cgroups === null ? [] : [cgroups.list(folders.isVmId)]),
      ]);
      return [...new Set([...all.flat(), ...vms.list()])].toSorted();
    },

    remains: (vmId) => findResources(resourcesOf(vmId)),

    /** In the guest somebody takes every connection, and drops it when nobody is behind; agent and display both speak first. */
    async connect(vmId, channel): Promise<Duplex> {
      folders.dirOf(vmId);
      const socket = await connectToVmSocket(toHostPath(jailOf(vmId), IN_JAIL.vsock));
      return waitForFirstBytes(await openVsockPort(socket, PORTS[channel]), PORTS[channel]);
    },

    async destroy(vmId) {
      // A create under way would go on behind our back.
      await creations.settled(vmId);
      await release(vmId);
      return folders.findKeptExit(vmId);
    },
  };
}
