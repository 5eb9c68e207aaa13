/**
 * What one VM owns on its host, as one list in the order of making. It is taken away from the last to the first, each is seen to be gone,
 * and what cannot be taken away does not keep the others.
 */

export type VmResource = {
  kind: 'processes' | 'network' | 'cgroup' | 'mount' | 'container' | 'jail' | 'disk' | 'folder';
  /** As a person would look for it. */
  name: string;
  exists(): Promise<boolean>;
  /** Idempotent. */
  remove(): Promise<void>;
};

/** Rejects, when all were tried, with what remains. */
export async function removeResources(vmId: string, resources: readonly VmResource[]): Promise<void> {
  const remaining: string[] = [];
  const causes: unknown[] = [];
  for (const { kind, name, exists, remove } of resources.toReversed()) {
    try {
      await remove();
      if (await exists()) throw new Error('it is still there');
    } catch (error) {
      causes.push(error);
      remaining.push(`${kind} ${name} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  if (remaining.length > 0)
    throw new Error(`of ${vmId} there remains: ${remaining.join('; ')}`, { cause: new AggregateError(causes) });
}

/** What of it exists, in the order of making. */
export async function findResources(resources: readonly VmResource[]): Promise<Pick<VmResource, 'kind' | 'name'>[]> {
  const found = await Promise.all(resources.map(async (resource) => ((await resource.exists()) ? [resource] : [])));
  return found.flat().map(({ kind, name }) => ({ kind, name }));
}
