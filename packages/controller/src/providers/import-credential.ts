/** Takes over a login that exists elsewhere: the CLI's own files become a new version, sealed, and an entry of the audit log. */
import type { Credential } from '@vestibule/protocol/api';
import type { CredentialFiles } from '@vestibule/protocol/agent-messages';
import { AppError } from '@vestibule/protocol/errors';
import type { ImportStore } from '../vault/import-store.ts';
import type { Vault } from '../vault/vault.ts';
import { checkLogin } from './complete-login.ts';
import type { Notices } from './notices.ts';
import type { ProviderRegistry } from './provider-registry.ts';

export type ImportCredentialDeps = {
  registry: ProviderRegistry;
  notices: Pick<Notices, 'requireAccepted'>;
  seal: Vault['seal'];
  store: ImportStore;
};

export type ImportCredential = (
  userId: string,
  idOrAlias: string,
  files: CredentialFiles,
  actor: string,
) => Promise<Credential>;

/** Throws `unknown_provider`, `provider_unavailable` while the notice is not accepted, and `credential_invalid` with words. */
export function createImportCredential(deps: ImportCredentialDeps): ImportCredential {
  return async (userId, idOrAlias, files, actor) => {
    const { definition } = deps.registry.get(idOrAlias);
    await deps.notices.requireAccepted(definition);
    const check = checkLogin(definition, files);
    if (!check.ok) throw new AppError('credential_invalid', check.words);
    const owner = { userId, provider: definition.id };
    const stored = await deps.store.store(owner, await deps.seal(owner, files), check.facts, actor);
    if (stored === null) throw new Error('the login could not be stored: the vault key is not active');
    return stored;
  };
}
