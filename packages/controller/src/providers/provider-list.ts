/** What the page shows of providers: each with the ways that work here now and, for the others, why not and what to do. */
import type { Provider, ProvidersAnswer, Requirement } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { Mode } from '@vestibule/protocol/session';
import type { RuntimeKind } from '@vestibule/protocol/vm';
import type { LoadedProvider, ProviderRegistry } from './provider-registry.ts';

export type ProviderListDeps = {
  registry: ProviderRegistry;
  runtime: { kind: RuntimeKind; sharedKernel: boolean; preflight: () => Promise<Requirement[]> };
  isInstalled: (loaded: LoadedProvider) => boolean;
};

/** Installing a package clears a requirement without a restart; asking the system for every page view would be wasteful. */
const PREFLIGHT_KEPT_MS = 10_000;

export function createProviderList(deps: ProviderListDeps) {
  let kept: { at: number; requirements: Promise<Requirement[]> } | null = null;

  function preflight(): Promise<Requirement[]> {
    if (kept === null || performance.now() - kept.at > PREFLIGHT_KEPT_MS) {
      kept = { at: performance.now(), requirements: deps.runtime.preflight() };
    }
    return kept.requirements;
  }

  function toProvider(loaded: LoadedProvider, missing: readonly Requirement[]): Provider {
    const { definition } = loaded;
    const lacking =
      missing.length === 0 ? null : missing.map((requirement) => `${requirement.title} ${requirement.hint}`).join(' ');
    const modes = definition.modes.map((mode) => {
      const reason = lacking;
      return { mode, available: reason === null, reason, hint: definition.ways[mode]?.hint ?? null };
    });
    const available = modes.some((mode) => mode.available);
    return {
      id: definition.id,
      name: definition.name,
      description: definition.description,
      homepage: definition.homepage ?? null,
      version: definition.install.version,
      modes,
      suggestedMode: null,
      tokenKinds: [],
      vendor: null,
      audience: null,
      untested: false,
      notice: null,
      useDescription: null,
      available,
      reason: available ? null : (modes[0]?.reason ?? null),
      installed: deps.isInstalled(loaded),
    };
  }

  async function list(): Promise<ProvidersAnswer> {
    const requirements = await preflight();
    const missing = requirements.filter((requirement) => requirement.severity === 'missing');
    return {
      runtime: deps.runtime.kind,
      sharedKernel: deps.runtime.sharedKernel,
      requirements,
      fileProblems: [],
      providers: deps.registry.list().map((loaded) => toProvider(loaded, missing)),
    };
  }

  return {
    list,

    /** Canonical id of a provider that can be used here now this way. Throws `unknown_provider`, `mode_not_offered`, `provider_unavailable`. */
    async require(idOrAlias: string, mode: Mode): Promise<string> {
      const { definition } = deps.registry.get(idOrAlias);
      const provider = (await list()).providers.find(({ id }) => id === definition.id);
      const way = provider?.modes.find((offered) => offered.mode === mode);
      if (way === undefined) throw new AppError('mode_not_offered', `${definition.name} does not offer ${mode}.`);
      if (way.reason !== null) throw new AppError('provider_unavailable', way.reason);
      return definition.id;
    },
  };
}
