/** This machine as the reconciler sees it: a runtime, with the names and layers of its VMs. */
import { randomBytes } from 'node:crypto';
import type { Runtime } from '@vestibule/vm-manager/runtime';
import type { Host } from '../session/reconciler-ports.ts';

export type RuntimeHostDeps = {
  runtime: Runtime;
  installationId: string;
  maxVms: number;
  /** Ids of the providers whose CLI this host can run now. */
  findProviders: () => readonly string[];
  /** Resolves once the runtime was looked at: before that it does not know how slow its guests are. */
  looked: Promise<unknown>;
  /** Where this controller serves other controllers, once it serves. */
  findPeerUrl: () => string | null;
  /** The folder of the provider's installed CLI; null for a runtime that runs none. */
  findLayer: (provider: string) => { dir: string } | null;
};

export function createRuntimeHost(deps: RuntimeHostDeps): Host {
  const { runtime } = deps;
  return {
    hostId: `host_${deps.installationId}`,
    runtime: runtime.kind,
    maxVms: deps.maxVms,
    offer: () => ({ peerUrl: deps.findPeerUrl(), providers: deps.findProviders(), maxVms: deps.maxVms }),
    newVmId: () => `vm_${deps.installationId}_${randomBytes(5).toString('hex')}`,
    async create(vmId, slot, epoch, provider) {
      await deps.looked;
      await runtime.create({ vmId, slot, epoch, layer: deps.findLayer(provider) });
    },
    inspect: (vmId) => runtime.inspect(vmId),
    list: () => runtime.list(),
    destroy: (vmId) => runtime.destroy(vmId),
  };
}
