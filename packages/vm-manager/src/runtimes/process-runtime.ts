/**
 * The runtime `process`: each browser VM is a tree of processes in namespaces of its own, under its own uid when we are root.
 * The kernel is shared with this machine. Puts the parts of `process/` in order; what each VM is lies in its folder.
 */
import { join } from 'node:path';
import type { Runtime, VmSpec } from '../runtime.ts';
import { toAuthorityFiles } from '../vm/authorities.ts';
import { INTERNET_ONLY } from '../vm/egress-policy.ts';
import { findNameServers } from '../vm/name-servers.ts';
import { toBrowserPolicy } from '../vm/browser-policy.ts';
import { DEFAULT_VM_LIMITS } from '../vm/vm-limits.ts';
import { checkProcessRuntime } from '../process/process-preflight.ts';
import { toNamespaceDepth, toSandboxArgv, type SandboxSources } from '../process/sandbox.ts';
import { GUEST } from '../vm/guest.ts';
import { createSupervisedVms, STATUS_FD } from '../vm/supervised-vms.ts';
import { connectToVmSocket } from '../vm/vm-channel.ts';
import { toVmEtc } from '../vm/vm-etc.ts';
import { isMounted, unmountRunFolder } from '../vm/run-folder.ts';
import { createVmCgroups } from '../vm/vm-cgroup.ts';
import { createVmFolders } from '../vm/vm-folders.ts';
import { createVmNetworks } from '../vm/vm-network.ts';
import type { VmHostOptions } from '../vm/vm-host-options.ts';
import { findResources, removeResources, type VmResource } from '../vm/vm-resources.ts';
import { createSingleFlight } from '../single-flight.ts';

export type ProcessRuntimeOptions = VmHostOptions & {
  /** The folder with `agent.mjs`, readable by everybody. */
  agentDir: string;
};

/** Uids above may belong to somebody. */
const MAX_SLOTS = 4000;
/** The stages of a sandbox that carry the VM's id in their argv. */
const SANDBOX_PROGRAMS = ['nsenter', 'bwrap', 'setpriv'];
const STOP_GRACE_MS = 1000;
const CHANNEL_SOCKETS = { agent: 'agent.sock', display: 'rfb.sock' } as const;

export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  const { installationId, vmsDir, logsDir, nodePath, supervisorEntry, chromiumPath, agentDir, policyFile } = options;
  const { networkCidr = '10.201.0.0/16', uidBase = 61_000, extraAuthorities = null } = options;
  const { egress = INTERNET_ONLY, limits = DEFAULT_VM_LIMITS } = options;
  const isRoot = process.geteuid?.() === 0;
  const folders = createVmFolders({ vmsDir, logsDir, installationId });
  const networks = isRoot ? createVmNetworks({ installationId, cidr: networkCidr, egress }) : null;
  const cgroups = createVmCgroups(installationId);
  const vms = createSupervisedVms({
    ...{ folders, nodePath, supervisorEntry, machinePrograms: SANDBOX_PROGRAMS, stopGraceMs: STOP_GRACE_MS },
  });
  const creations = createSingleFlight<void>();

  async function start(spec: VmSpec): Promise<void> {
    const { vmId, slot } = spec;
    if (!Number.isInteger(slot) || slot < 0 || slot >= MAX_SLOTS)
      throw new Error(`slot ${slot} of ${vmId} is out of range`);
    const uid = isRoot ? uidBase + slot : null;
    const nameServers = await findNameServers({ configured: options.vmDns, sharedLoopback: !isRoot });
    const etc = {
      ...toVmEtc(nameServers),
      ...(await toAuthorityFiles(extraAuthorities)),
      ...(await toBrowserPolicy({ policyFile, extraAuthorities, proxy: egress.proxy })),
    };
    await folders.prepare(vmId, etc, uid);
    const dir = folders.dirOf(vmId);
    const sources: SandboxSources = {
      ...{ vmId, agentDir, nodePath, chromiumPath, proxy: egress.proxy, diskMib: limits.diskMib },
      runDir: join(dir, 'run'),
      etcDir: join(dir, 'etc'),
      hasAuthorities: extraAuthorities !== null,
      layerDir: spec.layer?.dir ?? null,
      ownLimits: cgroups === null ? limits : null,
      statusFd: STATUS_FD,
    };
    const root = uid === null ? null : { uid, networkNamespace: networks?.namespacePath(vmId) ?? null };
    const argv = toSandboxArgv(sources, root, [GUEST.node, `${GUEST.agentDir}/agent.mjs`]);
    const namespaceDepth = toNamespaceDepth(root);
    const launch = {
      ...{ kind: 'sandbox' as const, argv, namespaceDepth, stopGraceMs: STOP_GRACE_MS },
      ...{ cgroups: (await cgroups?.create(vmId, limits)) ?? [], memoryMib: limits.memoryMib },
    };
    folders.writeSpec({ spec, createdAt: new Date().toISOString(), launch });
    await vms.start(vmId, networks?.create(vmId, slot, nameServers) ?? Promise.resolve());
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
    const runDir = join(dir, 'run');
    return [
      {
        ...{ kind: 'folder', name: dir },
        exists: async () => folders.exists(vmId),
        remove: () => folders.remove(vmId),
      },
      {
        ...{ kind: 'mount', name: runDir },
        exists: () => isMounted(runDir),
        remove: () => unmountRunFolder(runDir),
      },
      {
        ...{ kind: 'network', name: vmId },
        exists: async () => networks?.exists(vmId) ?? false,
        remove: async () => networks?.destroy(vmId),
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
      await networks?.dropTable(async () => (await folders.list()).length === 0);
    }
  }

  return {
    kind: 'process',
    sharedKernel: true,
    sharedLoopback: !isRoot,
    pace: () => 1,

    preflight: () => checkProcessRuntime({ ...options, isRoot, networkCidr, probeUid: uidBase + MAX_SLOTS }),

    create: (spec) => creations.run(spec.vmId, () => createOnce(spec)),

    async inspect(vmId) {
      return vms.inspect(vmId);
    },

    async list() {
      const kept = await Promise.all([folders.list(), networks?.list() ?? [], cgroups?.list() ?? []]);
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
