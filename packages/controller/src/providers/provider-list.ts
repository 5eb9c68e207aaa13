/** What the page shows of providers: each with the ways that work here now and, for the others, why not and what to do. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Provider, ProviderFiles, ProvidersAnswer, Requirement } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { Mode } from '@vestibule/protocol/session';
import type { RuntimeKind } from '@vestibule/protocol/vm';
import type { LastModeStore } from './last-mode-store.ts';
import type { Acceptance } from './notice-store.ts';
import { findNoticeReason, toNoticeState, type Notices } from './notices.ts';
import type { LoadedProvider, ProviderRegistry } from './provider-registry.ts';

export type ProviderListDeps = {
  registry: ProviderRegistry;
  runtime: { kind: RuntimeKind; sharedKernel: boolean; readPreflight: () => Promise<Requirement[]> };
  notices: Pick<Notices, 'listAcceptances' | 'requireAccepted'>;
  lastModes: LastModeStore;
  isInstalled: (loaded: LoadedProvider) => boolean;
};

/** What holds for all providers of one answer. */
type Circumstances = {
  /** What the runtime lacks, in words. Every way runs the CLI in the same VM, so what it lacks stops each of them. */
  lacking: string | null;
  acceptances: readonly Acceptance[];
  /** Null when nobody is asked about. */
  lastModes: ReadonlyMap<string, Mode> | null;
};

export function createProviderList(deps: ProviderListDeps) {
  const { registry } = deps;

  async function findLacking(): Promise<string | null> {
    const missing = (await deps.runtime.readPreflight()).filter(({ severity }) => severity === 'missing');
    return missing.length === 0 ? null : missing.map(({ title, hint }) => `${title} ${hint}`).join(' ');
  }

  function toProvider(loaded: LoadedProvider, { lacking, acceptances, lastModes }: Circumstances): Provider {
    const { definition } = loaded;
    const notice = toNoticeState(definition, acceptances);
    const reason = findAbsence(loaded, deps.isInstalled) ?? findNoticeReason(definition, notice) ?? lacking;
    const available = reason === null;
    return {
      ...toCard(loaded),
      modes: definition.modes.map((mode) => ({ mode, available, reason, hint: definition.ways[mode]?.hint ?? null })),
      suggestedMode: available && lastModes !== null ? toSuggestedMode(definition, lastModes) : null,
      notice: notice && { ...notice, acceptedAt: notice.acceptedAt?.toISOString() ?? null },
      available,
      reason,
      installed: deps.isInstalled(loaded),
    };
  }

  return {
    /** With `userId`, each provider has the way suggested for that person. */
    async list(userId?: string): Promise<ProvidersAnswer> {
      const [requirements, lacking, acceptances, lastModes] = await Promise.all([
        deps.runtime.readPreflight(),
        findLacking(),
        deps.notices.listAcceptances(),
        userId === undefined ? null : deps.lastModes.listOf(userId),
      ]);
      return {
        runtime: deps.runtime.kind,
        sharedKernel: deps.runtime.sharedKernel,
        requirements,
        fileProblems: registry.fileProblems(),
        providers: registry.list().map((loaded) => toProvider(loaded, { lacking, acceptances, lastModes })),
      };
    },

    /** Canonical id of a provider that can be used here now this way. Throws `unknown_provider`, `mode_not_offered`, `provider_unavailable`. */
    async require(idOrAlias: string, mode: Mode): Promise<string> {
      const loaded = registry.get(idOrAlias);
      const { definition } = loaded;
      if (!definition.modes.includes(mode))
        throw new AppError('mode_not_offered', `${definition.name} does not offer ${mode}.`);
      const absence = findAbsence(loaded, deps.isInstalled);
      if (absence !== null) throw new AppError('provider_unavailable', absence);
      await deps.notices.requireAccepted(definition);
      const lacking = await findLacking();
      if (lacking !== null) throw new AppError('provider_unavailable', lacking);
      return definition.id;
    },

    /** The way when a request names none: the live view, else what the definition names first. Throws `unknown_provider`. */
    defaultMode(idOrAlias: string): Mode {
      const { modes } = registry.get(idOrAlias).definition;
      return modes.find((mode) => mode === 'vm_browser') ?? modes[0] ?? 'vm_browser';
    },

    /** Throws `unknown_provider`. */
    files(idOrAlias: string): ProviderFiles {
      const { id, name, credential } = registry.get(idOrAlias).definition;
      return { provider: id, name, files: credential.files };
    },
  };
}

type Definition = LoadedProvider['definition'];

/** A program that no registry has, and that the operator has not put beside its definition yet. */
function findAbsence(loaded: LoadedProvider, isInstalled: ProviderListDeps['isInstalled']): string | null {
  const { install, name } = loaded.definition;
  if (install.kind !== 'bundled' || existsSync(join(loaded.folder, install.folder)) || isInstalled(loaded)) return null;
  return `${name} is not on this server yet: whoever runs it puts the program into a folder "${install.folder}" beside its definition.`;
}

/** The way that worked last, when it is still offered; else the one that the definition names first. */
function toSuggestedMode({ id, modes }: Definition, lastModes: ReadonlyMap<string, Mode>): Mode {
  const last = lastModes.get(id);
  if (last !== undefined && modes.includes(last)) return last;
  return modes[0] ?? 'vm_browser';
}

/** What the definition says of itself. */
function toCard({ definition }: LoadedProvider) {
  return {
    id: definition.id,
    name: definition.name,
    description: definition.description,
    homepage: definition.homepage ?? null,
    version: definition.install.version,
    tokenKinds: (definition.ways.token?.kinds ?? []).map(({ id, name, hint, pattern = null }) => ({
      id,
      name,
      hint,
      pattern,
    })),
    vendor: definition.vendor ?? null,
    audience: definition.audience ?? null,
    untested: definition.untested,
    useDescription: definition.success.use?.description ?? null,
  };
}
