/** Which stored login of a provider counts: its newest version, unless that was erased. */
import type { Credential } from '@vestibule/protocol/api';

export function findCurrentCredential(credentials: readonly Credential[], provider: string): Credential | null {
  const newest = credentials
    .filter((credential) => credential.provider === provider)
    .reduce<Credential | null>((best, next) => (best === null || next.version > best.version ? next : best), null);
  return newest === null || newest.revokedAt !== null ? null : newest;
}
