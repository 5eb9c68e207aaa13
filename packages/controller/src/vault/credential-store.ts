/** Reads and revokes the stored credential versions; versions are written by the completing statement and never deleted (I1). */
import type { Credential } from '@vestibule/protocol/api';
import type { Pool } from 'pg';
import { CREDENTIAL_COLUMNS, type CredentialRow, toCredential } from './credential-select.ts';

export type StoredCredential = {
  credentialId: string;
  userId: string;
  provider: string;
  version: number;
  encryptedData: Buffer;
  keyId: string;
};

export function createCredentialStore(deps: { pool: Pool }) {
  return {
    /** The current version of each provider, revoked ones left out. */
    async list(userId: string): Promise<Credential[]> {
      const result = await deps.pool.query<CredentialRow>(
        `select distinct on (provider) ${CREDENTIAL_COLUMNS}
         from provider_credentials where user_id = $1 and revoked_at is null order by provider, version desc`,
        [userId],
      );
      return result.rows.map(toCredential);
    },

    /** The sealed current version, or null. */
    async findCurrent(userId: string, provider: string): Promise<StoredCredential | null> {
      const result = await deps.pool.query<{
        credential_id: string;
        version: number;
        encrypted_data: Buffer;
        key_id: string;
      }>(
        `select credential_id, version, encrypted_data, key_id from provider_credentials
         where user_id = $1 and provider = $2 and revoked_at is null order by version desc limit 1`,
        [userId, provider],
      );
      const row = result.rows[0];
      if (row === undefined) return null;
      return {
        credentialId: row.credential_id,
        userId,
        provider,
        version: row.version,
        encryptedData: row.encrypted_data,
        keyId: row.key_id,
      };
    },

    /** Erases the ciphertext of every version and notes it in the audit log, in one statement; false when there was none. */
    async revoke(userId: string, provider: string, actor: string): Promise<boolean> {
      const result = await deps.pool.query(
        `with revoked as (
           update provider_credentials set encrypted_data = null, revoked_at = clock_timestamp()
           where user_id = $1 and provider = $2 and revoked_at is null returning version
         ) insert into audit_log (actor, action, subject, data)
           select $3, 'credential_revoked', $1 || '/' || $2, jsonb_build_object('versions', jsonb_agg(version)) from revoked
           having count(*) > 0`,
        [userId, provider, actor],
      );
      return result.rowCount === 1;
    },
  };
}
