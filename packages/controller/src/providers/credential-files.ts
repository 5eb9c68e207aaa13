/** Which sets of files may be a login of a provider: those of its sign-in, and of each kind of token that leaves others. */
import type { CredentialSpec, ProviderDefinition } from '@vestibule/protocol/provider-definition';

/** The sign-in's own first. */
export function listCredentialSpecs({ credential, ways }: ProviderDefinition): CredentialSpec[] {
  const ofTokens = ways.token?.kinds.flatMap((kind) => (kind.credential === undefined ? [] : [kind.credential])) ?? [];
  return [credential, ...ofTokens];
}

/** By path; each set once. */
export function credentialFileSets(definition: ProviderDefinition): string[][] {
  const sets = listCredentialSpecs(definition).map(({ files }) => files.map(({ path }) => path).toSorted());
  return [...new Map(sets.map((paths) => [JSON.stringify(paths), paths])).values()];
}

/** Whether the paths are exactly one of the sets, each once. */
export function isCredentialFileSet(paths: readonly string[], sets: readonly (readonly string[])[]): boolean {
  const given = JSON.stringify(paths.toSorted());
  return sets.some((set) => JSON.stringify(set.toSorted()) === given);
}
