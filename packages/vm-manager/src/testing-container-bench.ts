/** A bench for the runtime `container`: a podman of its own, the real image with a stub in place of the agent, eyes on what a VM leaves behind. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { CONTAINER_INIT } from './container/container-guest.ts';
import { createEngine, type Engine } from './container/engine.ts';
import type { Runtime } from './runtime.ts';
import type { RuntimeBench } from './runtime.conformance.ts';
import { createContainerRuntime, type ContainerRuntimeOptions } from './runtimes/container-runtime.ts';
import { findAgentProcess } from './supervisor/guest-processes.ts';
import { signalProcess, type ProcessIdentity } from './system/process-identity.ts';
import { findDiskMib } from './testing-disk.ts';
import { startPodmanService, type PodmanService } from './testing-podman.ts';
import { findTraces } from './testing-traces.ts';
import { GUEST } from './vm/guest.ts';
import { createVmFolders, type SupervisedSpec, type SupervisorFact } from './vm/vm-folders.ts';

export type ContainerBench = Omit<RuntimeBench, 'open'> & {
  dir: string;
  installationId: string;
  podman: PodmanService;
  engine: Engine;
  open(changes?: Partial<ContainerRuntimeOptions>): Runtime;
  /** Has the stub evaluate an expression inside the VM and returns its value. */
  ask(vmId: string, expression: string): Promise<unknown>;
  /** The agent's process on this machine. */
  agentOf(vmId: string): ProcessIdentity;
  /** See `LimitsBench`. */
  diskMibOf(vmId: string): Promise<number>;
  close(): Promise<void>;
};

const BUNDLE = { bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' } as const;
const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** `imagesDir`: where a built image is. */
export async function openContainerBench(imagesDir: string): Promise<ContainerBench> {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule: container '));
  // Only root may look into its data folder: VMs must start all the same.
  chmodSync(dir, 0o700);
  const installationId = `t${randomBytes(3).toString('hex')}`;
  const vmsDir = join(dir, 'a-data-folder-whose-path-is-far-longer-than-the-address-of-a-unix-socket'.repeat(2), 'vms');
  mkdirSync(vmsDir, { recursive: true });
  writeFileSync(join(dir, 'policy.json'), '{ "IncognitoModeAvailability": 1 }\n');
  cpSync(pathOf('../../../images/guest/container-init'), join(dir, 'container-init'));
  chmodSync(join(dir, 'container-init'), 0o755);
  const supervisorEntry = join(dir, 'supervisor.mjs');
  const bundles = [
    { from: './supervisor/supervisor.ts', to: supervisorEntry },
    { from: './testing-stub-agent.ts', to: join(dir, 'agent', 'agent.mjs') },
  ];
  for (const { from, to } of bundles) await build({ ...BUNDLE, entryPoints: [pathOf(from)], outfile: to });
  const podman = await startPodmanService();
  const { socketPath } = podman;
  const options: ContainerRuntimeOptions = {
    ...{ installationId, vmsDir, supervisorEntry, nodePath: process.execPath, vmDns: [], imagesDir, socketPath },
    logsDir: join(dir, 'logs'),
    policyFile: join(dir, 'policy.json'),
    chromiumPath: '/usr/lib/chromium/chromium',
    ociRuntime: null,
    // Apart from a real installation's addresses and uids on this machine.
    networkCidr: `10.${220 + (randomBytes(1).readUInt8() % 30)}.0.0/16`,
    uidBase: 52_000,
    overlays: { [GUEST.agentDir]: join(dir, 'agent'), [CONTAINER_INIT]: join(dir, 'container-init') },
  };
  const runtime = createContainerRuntime(options);
  const folders = createVmFolders({ vmsDir, logsDir: '', installationId });

  function factOf(vmId: string): SupervisorFact {
    const fact = folders.findSupervisor(vmId);
    if (fact === null) throw new Error(`${vmId} has no supervisor`);
    return fact;
  }
  function agentOf(vmId: string): ProcessIdentity {
    const { launch } = JSON.parse(readFileSync(join(folders.dirOf(vmId), 'spec.json'), 'utf8')) as SupervisedSpec;
    const agent = findAgentProcess(launch, factOf(vmId));
    if (agent === null) throw new Error(`${vmId} has no agent`);
    return agent;
  }
  async function ask(vmId: string, expression: string): Promise<unknown> {
    const link = await runtime.connect(vmId, 'agent');
    link.write(`${expression}\n`);
    let text = '';
    for await (const chunk of link as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (text.split('\n').length > 2) break;
    }
    const answer = text.split('\n')[1];
    return answer === undefined || answer === '' ? null : (JSON.parse(answer) as unknown);
  }

  return {
    ...{ dir, installationId, podman, ask, agentOf },
    engine: createEngine(socketPath),
    open: (changes = {}) => createContainerRuntime({ ...options, ...changes }),
    newVmId: () => `vm_${installationId}_${randomBytes(4).toString('hex')}`,
    async exitWith(vmId, code) {
      const link = await runtime.connect(vmId, 'agent');
      link.resume().write(`process.exit(${code})\n`);
      await once(link, 'close');
    },
    killFirstProcess: async (vmId) => signalProcess(agentOf(vmId), 'SIGKILL'),
    killSupervisor: async (vmId) => signalProcess(factOf(vmId).supervisor, 'SIGKILL'),
    async makeDeaf(vmId) {
      await ask(vmId, 'stub.isDeaf = true');
    },
    diskMibOf: (vmId) => findDiskMib(folders.dirOf(vmId)),
    async traces() {
      const containers = await createEngine(socketPath).listContainers('vestibule.vm');
      const system = await findTraces({ installationId, dir, folders: [vmsDir] });
      return [...containers.map((name) => `container ${name}`), ...system].toSorted();
    },
    async close() {
      // What a failed test left.
      for (const vmId of await runtime.list()) await runtime.destroy(vmId).catch(() => undefined);
      await podman.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
