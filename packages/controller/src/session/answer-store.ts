/**
 * The rows of `session_answers`: what a person answered, on its way to the program. The text is sealed before it comes here, erased when it
 * is delivered or its time is over, and delivered once.
 */
import { ACTIVE_STATUSES } from '@vestibule/protocol/session';
import type { Pool } from 'pg';

export type SealedAnswer = { answerId: string; sealedText: Buffer; keyId: string };
export type WaitingAnswer = SealedAnswer & { sessionId: string; vmId: string };
/** `sent`: it was given to the VM's agent; `delivered`: the agent said that the program has it. */
export type AnswerProgress = { sent: boolean; delivered: boolean };

export type AnswerStore = ReturnType<typeof createAnswerStore>;

type Waiting = { answer_id: string; session_id: string; vm_id: string; sealed_text: Buffer; key_id: string };
type Progress = { sent: boolean; delivered: boolean };

const ACTIVE = [...ACTIVE_STATUSES];

export function createAnswerStore(deps: { pool: Pool; onChange: (sessionId: string) => void }) {
  const { pool, onChange } = deps;
  return {
    /** With its event `answer_received`. False when the session ended, has no VM, or the sealing key is no longer active. */
    async record(sessionId: string, answer: SealedAnswer, ttlMs: number): Promise<boolean> {
      const result = await pool.query(
        `with key as (
           select key_id from vault_keys where key_id = $4 and state = 'active' for share
         ), changed as (
           update auth_sessions set event_seq = event_seq + 1
           where session_id = $1 and status = any($5) and vm_id is not null and exists (select from key)
           returning session_id, event_seq
         ), recorded as (
           insert into session_answers (answer_id, session_id, sealed_text, key_id, expires_at)
           select $2, session_id, $3, $4, now() + make_interval(secs => $6::float8 / 1000) from changed
         ) insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, 'answer_received', 'person', jsonb_build_object('answerId', $2::text) from changed`,
        [sessionId, answer.answerId, answer.sealedText, answer.keyId, ACTIVE, ttlMs],
      );
      if (result.rowCount !== 1) return false;
      onChange(sessionId);
      return true;
    },

    /** For the VMs of a host, oldest first. */
    async listWaiting(hostId: string): Promise<WaitingAnswer[]> {
      const result = await pool.query<Waiting>(
        `select a.answer_id, a.session_id, s.vm_id, a.sealed_text, a.key_id from session_answers a
         join auth_sessions s on s.session_id = a.session_id join browser_vms v on v.vm_id = s.vm_id
         where a.sealed_text is not null and a.expires_at > clock_timestamp() and v.host_id = $1 and s.status = any($2)
         order by a.created_at, a.answer_id`,
        [hostId, ACTIVE],
      );
      return result.rows.map((row) => ({
        answerId: row.answer_id,
        sessionId: row.session_id,
        vmId: row.vm_id,
        sealedText: row.sealed_text,
        keyId: row.key_id,
      }));
    },

    /** Must be true before the text is given to an agent: false once its time is over. */
    async markSent(answerId: string): Promise<boolean> {
      const result = await pool.query(
        `update session_answers set sent_at = coalesce(sent_at, clock_timestamp())
         where answer_id = $1 and sealed_text is not null and expires_at > clock_timestamp()`,
        [answerId],
      );
      return result.rowCount === 1;
    },

    /** The agent said so. Erases the text and appends `answer_delivered`, once; also when the time was over meanwhile. */
    async markDelivered(sessionId: string, answerId: string): Promise<boolean> {
      const result = await pool.query(
        `with delivered as (
           update session_answers set delivered_at = clock_timestamp(), sealed_text = null,
             erased_at = coalesce(erased_at, clock_timestamp())
           where answer_id::text = $2 and session_id = $1 and delivered_at is null returning session_id
         ), changed as (
           update auth_sessions s set event_seq = event_seq + 1 from delivered where s.session_id = delivered.session_id
           returning s.session_id, s.event_seq
         ) insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, 'answer_delivered', 'agent', jsonb_build_object('answerId', $2::text) from changed`,
        [sessionId, answerId],
      );
      if (result.rowCount !== 1) return false;
      onChange(sessionId);
      return true;
    },

    async readProgress(answerId: string): Promise<AnswerProgress> {
      const result = await pool.query<Progress>(
        'select sent_at is not null as sent, delivered_at is not null as delivered from session_answers where answer_id = $1',
        [answerId],
      );
      return result.rows[0] ?? { sent: false, delivered: false };
    },

    /** Its time is over: erases the text, so that nobody delivers it any more. Returns how far it came. */
    async giveUp(answerId: string): Promise<AnswerProgress> {
      const result = await pool.query<Progress>(
        `update session_answers set sealed_text = null, erased_at = coalesce(erased_at, clock_timestamp()) where answer_id = $1
         returning sent_at is not null as sent, delivered_at is not null as delivered`,
        [answerId],
      );
      return result.rows[0] ?? { sent: false, delivered: false };
    },

    /** What a controller that died left behind. */
    async eraseExpired(): Promise<void> {
      await pool.query(
        `update session_answers set sealed_text = null, erased_at = clock_timestamp()
         where sealed_text is not null and expires_at <= clock_timestamp()`,
      );
    },
  };
}
