/** Makes the container of a VM, and makes sure that it is what was asked for: podman's Docker API ignores the OCI runtime of a request. */
import { toContainerBody, type ContainerSources } from './container-body.ts';
import type { Engine } from './engine.ts';

/** Rejects, and leaves no container, when the engine would run it with another OCI runtime. */
export async function createContainer(engine: Engine, sources: ContainerSources): Promise<void> {
  const { vmId, ociRuntime } = sources;
  await engine.createContainer(vmId, toContainerBody(sources));
  if (ociRuntime === null) return;
  const taken = await engine.findOciRuntime(vmId);
  if (taken === ociRuntime) return;
  await engine.removeContainer(vmId);
  throw new Error(
    `the container engine does not take the OCI runtime ${ociRuntime}, it would run containers with ${taken ?? 'its own'}`,
  );
}
