/**
 * The providers this controller offers: the shipped definitions, then the operator's folder, whose file wins over a shipped one of the
 * same id. Ids and aliases resolve to one canonical id.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@vestibule/protocol/errors';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { formatProblems, parseProviderFile } from './provider-file.ts';

/** A definition and the folder its file is in: `bundled` programs stand beside the file. */
export type LoadedProvider = { definition: ProviderDefinition; folder: string };

export class ProviderFilesError extends Error {
  constructor(problems: string) {
    super(`Some provider definitions cannot be used:\n${problems}`);
    this.name = 'ProviderFilesError';
  }
}

export type ProviderRegistry = {
  /** In the order of their names. */
  list(): LoadedProvider[];
  /** Null when neither an id nor an alias. */
  find(idOrAlias: string): LoadedProvider | null;
  /** Throws `unknown_provider`. */
  get(idOrAlias: string): LoadedProvider;
};

function listFiles(folder: string, problems: string[]): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    problems.push(`${folder} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
    return [];
  }
  return names
    .filter((name) => name.endsWith('.yaml') || name.endsWith('.yml'))
    .toSorted()
    .map((name) => join(folder, name));
}

/** Reads every definition; throws `ProviderFilesError` with all problems of all files. Later folders win. */
export function loadProviders(
  folders: readonly string[],
  isOffered: (id: string) => boolean = () => true,
): ProviderRegistry {
  const byId = new Map<string, LoadedProvider>();
  const problems: string[] = [];
  for (const folder of folders) {
    for (const file of listFiles(folder, problems)) {
      const result = parseProviderFile(readFileSync(file, 'utf8'));
      if (!result.ok) problems.push(formatProblems(file, result.problems));
      else if (byId.get(result.definition.id)?.folder === folder)
        problems.push(`${file}: another file of this folder defines "${result.definition.id}" too`);
      else byId.set(result.definition.id, { definition: result.definition, folder });
    }
  }
  const names = new Map<string, string>();
  for (const { definition } of byId.values()) {
    for (const name of [definition.id, ...definition.aliases]) {
      const other = names.get(name);
      if (other !== undefined) problems.push(`"${name}" names both ${other} and ${definition.id}`);
      names.set(name, definition.id);
    }
  }
  if (problems.length > 0) throw new ProviderFilesError(problems.join('\n'));

  function find(idOrAlias: string): LoadedProvider | null {
    const id = names.get(idOrAlias);
    return id !== undefined && isOffered(id) ? (byId.get(id) ?? null) : null;
  }
  return {
    list: () =>
      [...byId.values()]
        .filter(({ definition }) => isOffered(definition.id))
        .toSorted((a, b) => a.definition.name.localeCompare(b.definition.name)),
    find,
    get(idOrAlias) {
      const found = find(idOrAlias);
      if (found === null)
        throw new AppError('unknown_provider', 'GET /v1/providers lists the providers of this server.');
      return found;
    },
  };
}
