/** Stores a login that was taken over from elsewhere: a new version and its entry in the audit log, in one statement. */
import type { Credential } from '@vestibule/protocol/api';
import type { CredentialFacts } from '@vestibule/protocol/credential-facts';
import type { Pool } from 'pg';
import type { SealedCredential } from '../session/completion-store.ts';
import { toStorable } from '../session/session-store.ts';
import { CREDENTIAL_COLUMNS, type CredentialRow, toCredential } from './credential-select.ts';

const UNIQUE_VIOLATION = '23505';
/** A version number may be taken by a sign-in of the same user and provider committed at the same moment. */
const VERSION_ATTEMPTS = 5;

export type ImportStore = ReturnType<typeof createImportStore>;

export function createImportStore(deps: { pool: Pool }) {
  async function tryStore(
    owner: { userId: string; provider: string },
    sealed: SealedCredential,
    facts: CredentialFacts,
    actor: string,
  ): Promise<Credential | null> {
    const result = await deps.pool.query<CredentialRow>(
      `with key as (
         select key_id from vault_keys where key_id = $5 and state = 'active' for share
       ), newest as (
         select coalesce(max(version), 0) as version from provider_credentials where user_id = $2 and provider = $3
       ), stored as (
         insert into provider_credentials (credential_id, user_id, provider, account, encrypted_data, key_id, version, source, evidence,
           expires_at, organization, account_plan)
         select $1, $2, $3, $6, $4, key.key_id, newest.version + 1, 'import', array['files_complete'], $7, $9, $10
         from key cross join newest
         returning ${CREDENTIAL_COLUMNS}
       ), audited as (
         insert into audit_log (actor, action, subject, data)
         select $8, 'credential_imported', user_id || '/' || provider, jsonb_build_object('version', version) from stored
       )
       select * from stored`,
      [
        sealed.credentialId,
        owner.userId,
        owner.provider,
        sealed.encryptedData,
        sealed.keyId,
        toStorableOrNull(facts.account),
        facts.expiresAt,
        actor,
        toStorableOrNull(facts.organization),
        toStorableOrNull(facts.accountPlan),
      ],
    );
    const row = result.rows[0];
    return row === undefined ? null : toCredential(row);
  }

  return {
    /** The new version; null when the sealing key is no longer active. */
    async store(...parts: Parameters<typeof tryStore>): Promise<Credential | null> {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await tryStore(...parts);
        } catch (error) {
          if ((error as { code?: string }).code !== UNIQUE_VIOLATION || attempt === VERSION_ATTEMPTS) throw error;
        }
      }
    },
  };
}

function toStorableOrNull(text: string | null): string | null {
  return text === null ? null : toStorable(text);
}
