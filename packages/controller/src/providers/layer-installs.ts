/** How the installation of each provider's CLI stands on this host; one at a time for each provider, started by the reconciler. */
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import type { LayerFact } from '../session/plan.ts';
import type { Logger } from '../telemetry/logger.ts';
import { getNewest, type ProviderRegistry } from './provider-registry.ts';

/** Installs and finds layers; `vm-manager` supplies it. */
export type LayerSource = {
  /** The layer's folder, or null when it is not installed. */
  find(definition: ProviderDefinition): string | null;
  install(definition: ProviderDefinition, folder: string, onProgress: (message: string) => void): Promise<string>;
};

export type LayerInstallsDeps = {
  registry: ProviderRegistry;
  source: LayerSource;
  /** Words for a person, at most one a second. */
  onProgress: (provider: string, message: string) => Promise<void> | void;
  /** The installation ended, well or not. */
  onEnd: () => void;
  log: Logger;
};

/** A failed installation is reported to the sessions that waited, and tried again for sessions that come later than this. */
const FAILURE_REMEMBERED_MS = 2_000;
const PROGRESS_EVERY_MS = 1_000;

export function createLayerInstalls(deps: LayerInstallsDeps) {
  const running = new Set<string>();
  const failed = new Map<string, { message: string; at: number }>();

  async function run(provider: string): Promise<void> {
    const { definition, folder } = getNewest(deps.registry, provider);
    let toldAt = -PROGRESS_EVERY_MS;
    await deps.source.install(definition, folder, (message) => {
      if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
      toldAt = performance.now();
      Promise.resolve(deps.onProgress(provider, message)).catch((error: unknown) =>
        deps.log.warn({ provider, err: error }, 'telling of the installation failed'),
      );
    });
  }

  return {
    fact(provider: string): LayerFact {
      // Whoever waits for a provider whose file was removed since is served.
      const [newest] = deps.registry.recall(provider);
      if (newest === undefined) return { state: 'not_offered' };
      if (running.has(provider)) return { state: 'installing' };
      if (deps.source.find(newest.definition) !== null) return { state: 'ready' };
      const failure = failed.get(provider);
      const recent = failure !== undefined && performance.now() - failure.at < FAILURE_REMEMBERED_MS;
      return recent ? { state: 'failed', message: failure.message } : { state: 'missing' };
    },

    install(provider: string): void {
      if (running.has(provider)) return;
      running.add(provider);
      failed.delete(provider);
      run(provider)
        .catch((error: unknown) => {
          const message = error instanceof Error ? error.message : 'unknown';
          failed.set(provider, { message: `${provider}: ${message}`, at: performance.now() });
          deps.log.error({ provider, err: error }, 'installing a CLI failed');
        })
        .finally(() => {
          running.delete(provider);
          deps.onEnd();
        });
    },
  };
}
