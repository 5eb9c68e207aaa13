/**
 * The runtime `container`: each browser VM is a container that an engine (Docker or podman) makes of the image, with a user, a network and
 * a supervisor of its own. The kernel is shared with this machine, unless the engine runs it with another (`ociRuntime`).
 */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Runtime, VmSpec } from '../runtime.ts';
import { LABELS, type ContainerSources } from '../container/container-body.ts';
import { createContainer } from '../container/container-creation.ts';
import { IMAGE_CHROMIUM } from '../container/container-guest.ts';
import { createContainerImages } from '../container/container-image.ts';
import { checkContainerRuntime, OWN_KERNEL } from '../container/container-preflight.ts';
import { prepareWire } from '../container/container-wire.ts';
import { createEngine } from '../container/engine.ts';
import { endMonitors, findMonitors } from '../container/engine-processes.ts';
import { settleAll } from '../settle-all.ts';
import { createSingleFlight } from '../single-flight.ts';
import { toAuthorityFiles } from '../vm/authorities.ts';
import { toBrowserPolicy } from '../vm/browser-policy.ts';
import { INTERNET_ONLY } from '../vm/egress-policy.ts';
import { GUEST, toGuestEnvironment } from '../vm/guest.ts';
import { findNameServers } from '../vm/name-servers.ts';
import { isMounted, unmountRunFolder } from '../vm/run-folder.ts';
import { createSupervisedVms } from '../vm/supervised-vms.ts';
import { connectToVmSocket } from '../vm/vm-channel.ts';
import { toVmEtc } from '../vm/vm-etc.ts';
import { createVmFolders } from '../vm/vm-folders.ts';
import { mountHome, unmountHome } from '../vm/vm-home.ts';
import type { ImageVmHostOptions } from '../vm/vm-host-options.ts';
import { DEFAULT_VM_LIMITS } from '../vm/vm-limits.ts';
import { createVmNetworks } from '../vm/vm-network.ts';
import { findResources, removeResources, type VmResource } from '../vm/vm-resources.ts';

export type ContainerRuntimeOptions = ImageVmHostOptions & {
  /** Of the container engine. */
  socketPath: string;
  /** The engine's name of a runtime that is not its default, such as `runsc`. */
  ociRuntime: string | null;
  /** Told what takes long: that an image is loaded. */
  onProgress?: (words: string) => void;
  /** For tests: files and folders of this machine that lie over the image's, by their path inside. */
  overlays?: Readonly<Record<string, string>>;
};

/** Uids above may belong to somebody. */
const MAX_SLOTS = 4000;
const STOP_GRACE_MS = 1000;
const CHANNEL_SOCKETS = { agent: 'agent.sock', display: 'rfb.sock' } as const;

export function createContainerRuntime(options: ContainerRuntimeOptions): Runtime {
  const { installationId, vmsDir, logsDir, nodePath, supervisorEntry, policyFile, socketPath, ociRuntime } = options;
  const {
    networkCidr = '10.201.0.0/16',
    uidBase = 61_000,
    extraAuthorities = null,
    limits = DEFAULT_VM_LIMITS,
  } = options;
  const { egress = INTERNET_ONLY } = options;
  const engine = createEngine(socketPath);
  const images = createContainerImages({ ...options, engine, onProgress: options.onProgress ?? (() => undefined) });
  const folders = createVmFolders({ vmsDir, logsDir, installationId });
  const networks = createVmNetworks({ installationId, cidr: networkCidr, egress });
  const vms = createSupervisedVms({
    ...{ folders, nodePath, supervisorEntry, machinePrograms: [], stopGraceMs: STOP_GRACE_MS },
  });
  const creations = createSingleFlight<void>();
  let pace = 1;

  async function toSources(spec: VmSpec, image: string, uid: number): Promise<ContainerSources> {
    const { vmId } = spec;
    const dir = folders.dirOf(vmId);
    const hasAuthorities = extraAuthorities !== null;
    const chromiumPath = await findBrowser(options.chromiumPath);
    return {
      ...{ vmId, installationId, image, ociRuntime, uid, limits, hasAuthorities, chromiumPath },
      runDir: join(dir, 'run'),
      wireDir: join(dir, 'wire'),
      homeDir: join(dir, 'home'),
      etcDir: join(dir, 'etc'),
      layerDir: spec.layer?.dir ?? null,
      environment: toGuestEnvironment({ vmId, chromiumPath, hasAuthorities, proxy: egress.proxy, pace }),
      command: [GUEST.node, `${GUEST.agentDir}/agent.mjs`],
      overlays: options.overlays ?? {},
    };
  }

  async function start(spec: VmSpec): Promise<void> {
    const { vmId, slot } = spec;
    if (process.geteuid?.() !== 0) throw new Error('only root can make containers with a network of their own');
    if (!Number.isInteger(slot) || slot < 0 || slot >= MAX_SLOTS)
      throw new Error(`slot ${slot} of ${vmId} is out of range`);
    const uid = uidBase + slot;
    const nameServers = await findNameServers({ configured: options.vmDns, sharedLoopback: false });
    const etc = {
      ...toVmEtc(nameServers, uid),
      ...(await toAuthorityFiles(extraAuthorities)),
      ...(await toBrowserPolicy({ policyFile, extraAuthorities, proxy: egress.proxy })),
    };
    await unmountHome(join(folders.dirOf(vmId), 'home'));
    await folders.prepare(vmId, etc, uid);
    const launch = {
      ...{ kind: 'container' as const, socketPath, name: vmId, network: vmId },
      ...{ memoryMib: limits.memoryMib, stopGraceMs: STOP_GRACE_MS },
    };
    folders.writeSpec({ spec, createdAt: new Date().toISOString(), launch });
    await vms.start(vmId, settleAll([networks.create(vmId, slot, nameServers), prepareContainer(spec, uid)]));
  }

  async function prepareContainer(spec: VmSpec, uid: number): Promise<void> {
    const sources = await toSources(spec, await images.ensure(), uid);
    await settleAll([prepareWire(sources.wireDir), mountHome(sources.homeDir, uid, limits.diskMib)]);
    // One that a crash left would be another's: it was never started, or its folder would say so.
    await engine.removeContainer(spec.vmId);
    await createContainer(engine, sources);
  }

  async function createOnce(spec: VmSpec): Promise<void> {
    const found = vms.inspect(spec.vmId);
    if (found.state === 'running') return;
    if (found.state === 'exited') throw new Error(`${spec.vmId} has already ended: ${found.exit.reason}`);
    try {
      await start(spec);
    } catch (error) {
      // What cannot be removed now is found by `list` and removed later; why it was not started is told all the same.
      await release(spec.vmId).catch(() => undefined);
      throw new Error(`starting ${spec.vmId}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  /** In the order of making. */
  function resourcesOf(vmId: string): VmResource[] {
    const dir = folders.dirOf(vmId);
    const [homeDir, runDir] = [join(dir, 'home'), join(dir, 'run')];
    return [
      { kind: 'folder', name: dir, exists: async () => folders.exists(vmId), remove: () => folders.remove(vmId) },
      { kind: 'mount', name: runDir, exists: () => isMounted(runDir), remove: () => unmountRunFolder(runDir) },
      { kind: 'mount', name: homeDir, exists: () => isMounted(homeDir), remove: () => unmountHome(homeDir) },
      {
        ...{ kind: 'network', name: vmId },
        exists: async () => networks.exists(vmId),
        remove: () => networks.destroy(vmId),
      },
      {
        ...{ kind: 'processes', name: `the engine's of ${vmId}` },
        exists: async () => findMonitors((text) => text === vmId).length > 0,
        remove: () => endMonitors(vmId),
      },
      {
        ...{ kind: 'container', name: vmId },
        exists: async () => (await engine.inspectContainer(vmId)) !== null,
        remove: () => engine.removeContainer(vmId),
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
    kind: 'container',
    sharedKernel: ociRuntime === null || !OWN_KERNEL.test(ociRuntime),
    sharedLoopback: false,
    pace: () => pace,

    async preflight() {
      const found = await checkContainerRuntime({
        ...{ options, engine, images, limits, networkCidr, probeUid: uidBase + MAX_SLOTS },
        chromiumPath: await findBrowser(options.chromiumPath).catch(() => null),
      });
      pace = found.pace;
      return found.requirements;
    },

    create: (spec) => creations.run(spec.vmId, () => createOnce(spec)),

    async inspect(vmId) {
      return vms.inspect(vmId);
    },

    async list() {
      // An engine that is away cannot tell what it has; it is asked again.
      const containers = await engine.listContainers(`${LABELS.installation}=${installationId}`).catch(() => []);
      const all = [
        ...(await folders.list()),
        ...vms.list(),
        ...(await networks.list()),
        ...containers.filter(folders.isVmId),
        ...findMonitors(folders.isVmId).map(({ vmId }) => vmId),
      ];
      return [...new Set(all)].toSorted();
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

/** A browser that the operator installed is shown to the VM by its folder, so links to it must be followed. */
async function findBrowser(chromiumPath: string): Promise<string> {
  return chromiumPath === IMAGE_CHROMIUM ? chromiumPath : realpath(chromiumPath);
}
