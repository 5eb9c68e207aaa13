/** The columns of a credential version that anybody may see, and the row as the API tells it. */
import type { Credential } from '@vestibule/protocol/api';
import { toGrade, type Evidence } from '@vestibule/protocol/session';

export const CREDENTIAL_COLUMNS =
  'user_id, provider, account, version, source, source_session_id, evidence, expires_at, created_at, revoked_at';

export type CredentialRow = {
  user_id: string;
  provider: string;
  account: string | null;
  version: number;
  source: Credential['source'];
  source_session_id: string | null;
  evidence: Evidence[];
  expires_at: Date | null;
  created_at: Date;
  revoked_at: Date | null;
};

export function toCredential(row: CredentialRow): Credential {
  return {
    userId: row.user_id,
    provider: row.provider,
    account: row.account,
    version: row.version,
    source: row.source,
    grade: toGrade(row.evidence),
    sourceSessionId: row.source_session_id,
    expiresAt: row.expires_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    revokedAt: row.revoked_at?.toISOString() ?? null,
  };
}
