/** The one runtime that the settings name, and no other in its place: what it lacks, its preflight tells. */
import { type FakeScript, parseFakeScripts } from '@vestibule/vm-manager/fake/fake-script';
import { findCurrentImage } from '@vestibule/vm-manager/images/image-store';
import type { Runtime } from '@vestibule/vm-manager/runtime';
import { createContainerRuntime } from '@vestibule/vm-manager/runtimes/container-runtime';
import { createFakeRuntime } from '@vestibule/vm-manager/runtimes/fake-runtime';
import { createFirecrackerRuntime } from '@vestibule/vm-manager/runtimes/firecracker-runtime';
import { createProcessRuntime } from '@vestibule/vm-manager/runtimes/process-runtime';
import { createQemuRuntime } from '@vestibule/vm-manager/runtimes/qemu-runtime';
import { type Config, ConfigError } from './config.ts';
import type { DataFolder } from './data-folder.ts';
import { withImageAgentCheck } from './fleet/image-agent-check.ts';
import type { ProductFolder } from './product-folder.ts';

export type RuntimeChoice = {
  config: Config;
  folder: Pick<DataFolder, 'vmsDir' | 'vmLogsDir' | 'jailsDir' | 'installationId'>;
  product: ProductFolder;
};

function createNextScript(text: string): () => FakeScript {
  try {
    const scripts = parseFakeScripts(text);
    let taken = 0;
    return () => scripts[taken++ % scripts.length] ?? scripts[0];
  } catch (error) {
    throw new ConfigError([`VESTIBULE_FAKE_SCRIPT is no script: ${error instanceof Error ? error.message : ''}`]);
  }
}

/** Of the image that VMs start from. */
async function findImageAgent(imagesDir: string): Promise<string | null> {
  return (await findCurrentImage(imagesDir))?.manifest.agentBuildId ?? null;
}

export function createRuntime({ config, folder, product }: RuntimeChoice): Runtime {
  const { vm } = config;
  const folders = {
    installationId: folder.installationId,
    vmsDir: folder.vmsDir,
    logsDir: folder.vmLogsDir,
  };
  const host = {
    ...folders,
    supervisorEntry: product.supervisorEntry,
    nodePath: process.execPath,
    policyFile: product.policyFile,
    chromiumPath: config.browser,
    extraAuthorities: config.extraAuthorities,
    vmDns: config.vmDns,
    limits: { memoryMib: vm.memoryMib, pids: vm.pids, cpus: vm.cpus, diskMib: vm.diskMib },
    egress: { allow: vm.allow, proxy: vm.proxy },
  };
  const fromImage = { ...host, imagesDir: config.imagesDir };
  const withAgentCheck = (runtime: Runtime): Runtime =>
    withImageAgentCheck(runtime, {
      findImageAgent: () => findImageAgent(config.imagesDir),
      agentDir: product.agentDir,
    });
  switch (config.runtime) {
    case 'fake':
      return createFakeRuntime(
        config.fakeScript === null ? folders : { ...folders, script: createNextScript(config.fakeScript) },
      );
    case 'process':
      return createProcessRuntime({ ...host, agentDir: product.agentDir });
    case 'firecracker':
      return withAgentCheck(
        createFirecrackerRuntime({ ...fromImage, ...config.firecracker, jailsDir: folder.jailsDir }),
      );
    case 'container':
      return withAgentCheck(createContainerRuntime({ ...fromImage, ...config.container }));
    case 'qemu':
      return withAgentCheck(createQemuRuntime({ ...fromImage, accelerator: config.qemuAccelerator }));
    default:
      return config.runtime satisfies never;
  }
}
