/**
 * The one statement that completes a session: the credential version, the status, the event and the VM's end of grace are committed
 * together or not at all (I1). The database refuses either half alone.
 */
import type { Handover } from '@vestibule/protocol/agent-messages';
import { ACTIVE_STATUSES } from '@vestibule/protocol/session';
import { sources } from './machine.ts';
import { type SessionStoreDeps, toStorable } from './session-store.ts';

export type SealedCredential = { credentialId: string; encryptedData: Buffer; keyId: string };

/** How a hand-over stands to its session: what the answer to the agent is derived from (I5). */
export type HandoverState =
  | { kind: 'active' }
  /** The session is completed by exactly these bytes. */
  | { kind: 'stored' }
  /** The session is completed by other bytes. */
  | { kind: 'stored_other' }
  | { kind: 'ended' };

const UNIQUE_VIOLATION = '23505';
/** A version number may be taken by an import of the same user and provider committed at the same moment. */
const VERSION_ATTEMPTS = 5;

const toText = (text: string | null | undefined): string | null => (typeof text === 'string' ? toStorable(text) : null);

export type CompletionStore = ReturnType<typeof createCompletionStore>;

export function createCompletionStore(deps: SessionStoreDeps) {
  async function tryComplete(
    sessionId: string,
    vmId: string,
    handover: Handover,
    sealed: SealedCredential,
  ): Promise<boolean> {
    const result = await deps.pool.query({
      name: 'complete_session',
      text: `with key as (
         select key_id from vault_keys where key_id = $7 and state = 'active' for share
       ), changed as (
         update auth_sessions set status = 'completed', stage = 'storing', completed_at = clock_timestamp(),
           ended_at = clock_timestamp(), credential_id = $3, event_seq = event_seq + 1
         where session_id = $1 and vm_id = $2 and status = any($4) and exists (select from key)
         returning session_id, user_id, provider, event_seq, vm_id
       ), stored as (
         insert into provider_credentials (credential_id, user_id, provider, account, encrypted_data, key_id, version, source,
           source_session_id, handover_id, content_hash, evidence, expires_at, organization, account_plan)
         select $3, c.user_id, c.provider, $5, $6, $7, coalesce(max(p.version), 0) + 1, 'sign_in', c.session_id, $8, $9, $10, $11, $13, $14
         from changed c left join provider_credentials p on p.user_id = c.user_id and p.provider = c.provider
         group by c.session_id, c.user_id, c.provider
         returning version
       ), doomed as (
         update browser_vms v set destroy_at = clock_timestamp() + make_interval(secs => $12::float8 / 1000)
         from changed where v.vm_id = changed.vm_id
       )
       insert into auth_session_events (session_id, seq, type, actor, data)
         select c.session_id, c.event_seq, 'credential_stored', 'agent',
           jsonb_build_object('version', s.version, 'evidence', $10::text[], 'handoverId', $8::text)
         from changed c cross join stored s`,
      values: [
        sessionId,
        vmId,
        sealed.credentialId,
        sources('credential_stored', 'completed'),
        toText(handover.account),
        sealed.encryptedData,
        sealed.keyId,
        handover.handoverId,
        handover.contentHash,
        handover.evidence,
        handover.expiresAt,
        deps.graceMs,
        toText(handover.organization),
        toText(handover.accountPlan),
      ],
    });
    return result.rowCount === 1;
  }

  return {
    /** What the session already knows of these bytes; null when there is no such session on that VM. */
    async readHandover(sessionId: string, vmId: string, handover: Handover): Promise<HandoverState | null> {
      const result = await deps.pool.query<{ active: boolean; content_hash: string | null }>(
        `select s.status = any($3) as active, c.content_hash from auth_sessions s
         left join provider_credentials c on c.credential_id = s.credential_id
         where s.session_id = $1 and s.vm_id = $2`,
        [sessionId, vmId, [...ACTIVE_STATUSES]],
      );
      const row = result.rows[0];
      if (row === undefined) return null;
      if (row.active) return { kind: 'active' };
      if (row.content_hash === null) return { kind: 'ended' };
      return { kind: row.content_hash === handover.contentHash ? 'stored' : 'stored_other' };
    },

    /**
     * True when this call completed the session, after commit. False when it had ended, or when the sealing key is no longer active: read again.
     * Throws what the database says; an error does not mean that nothing was committed.
     */
    async complete(sessionId: string, vmId: string, handover: Handover, sealed: SealedCredential): Promise<boolean> {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const completed = await tryComplete(sessionId, vmId, handover, sealed);
          if (completed) {
            deps.onChange(sessionId);
            deps.onEnded('completed');
          }
          return completed;
        } catch (error) {
          if ((error as { code?: string }).code !== UNIQUE_VIOLATION || attempt === VERSION_ATTEMPTS) throw error;
        }
      }
    },
  };
}
