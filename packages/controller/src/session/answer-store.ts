/**
 * The rows of `session_answers`: what a person answered, on its way to the program. The text is sealed before it comes here, erased when it
 * is delivered or its time is over, and delivered once.
 */
import type { AnswerKind } from '@vestibule/protocol/offer';
import { ACTIVE_STATUSES } from '@vestibule/protocol/session';
import type { Pool } from 'pg';
import { toStorable } from './session-store.ts';

/** `tokenKind`: for `token` alone. */
export type AnswerForm = { kind: AnswerKind; tokenKind: string | null };
export type SealedAnswer = AnswerForm & { answerId: string; sealedText: Buffer; keyId: string };
/** `way`: the program of that way is to be given it, and of no other. */
export type WaitingAnswer = SealedAnswer & { sessionId: string; vmId: string; way: number };
/** `sent`: it was given to the VM's agent; `delivered`: the agent said that the program has it; `refusedWords`: why it never will. */
export type AnswerProgress = { sent: boolean; delivered: boolean; refusedWords: string | null };

export type AnswerStore = ReturnType<typeof createAnswerStore>;

type Waiting = {
  answer_id: string;
  session_id: string;
  vm_id: string;
  sealed_text: Buffer;
  key_id: string;
  kind: AnswerKind;
  token_kind: string | null;
  way: number;
};
type Progress = { sent: boolean; delivered: boolean; refused_words: string | null };

const PROGRESS = 'sent_at is not null as sent, delivered_at is not null as delivered, refused_words';

/** What is typed in a session's terminal: so many keys may wait to be given, and so many answers of keys may there be at all. */
const MAX_KEYS_WAITING = 32;
const MAX_KEYS = 5_000;

function toProgress(row: Progress | undefined): AnswerProgress {
  if (row === undefined) return { sent: false, delivered: false, refusedWords: null };
  return { sent: row.sent, delivered: row.delivered, refusedWords: row.refused_words };
}

const ACTIVE = [...ACTIVE_STATUSES];

export function createAnswerStore(deps: { pool: Pool; onChange: (sessionId: string) => void }) {
  const { pool, onChange } = deps;
  return {
    /** With its event `answer_received`; what the CLI asked is asked no more. False when the session ended, has no VM, or the sealing key is no longer active. */
    async record(sessionId: string, answer: SealedAnswer, ttlMs: number): Promise<boolean> {
      const result = await pool.query(
        `with key as (
           select key_id from vault_keys where key_id = $4 and state = 'active' for share
         ), changed as (
           update auth_sessions set prompt = null, event_seq = event_seq + 1
           where session_id = $1 and status = any($5) and vm_id is not null and exists (select from key)
           returning session_id, event_seq, way
         ), recorded as (
           insert into session_answers (answer_id, session_id, sealed_text, key_id, expires_at, kind, token_kind, way)
           select $2, session_id, $3, $4, now() + make_interval(secs => $6::float8 / 1000), $7, $8, way from changed
         ) insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, 'answer_received', 'person', jsonb_build_object('answerId', $2::text, 'kind', $7::text) from changed`,
        [sessionId, answer.answerId, answer.sealedText, answer.keyId, ACTIVE, ttlMs, answer.kind, answer.tokenKind],
      );
      if (result.rowCount !== 1) return false;
      onChange(sessionId);
      return true;
    },

    /**
     * As `record`, for what is typed in the terminal: without an event, but the first, `terminal_taken`, and when they answer what the CLI
     * asked. `flooded`: more wait, or were typed, than one session may have.
     */
    async recordKeys(
      sessionId: string,
      answer: SealedAnswer,
      ttlMs: number,
    ): Promise<'recorded' | 'flooded' | 'refused'> {
      const result = await pool.query<{ is_full: boolean }>(
        `with key as (
           select key_id from vault_keys where key_id = $4 and state = 'active' for share
         ), held as (
           select s.session_id, s.way, s.prompt is not null as was_asked,
             not exists (select from auth_session_events e where e.session_id = s.session_id and e.type = 'terminal_taken') as is_first,
             (select count(*) >= $8 or count(a.sealed_text) >= $7 from session_answers a
               where a.session_id = s.session_id and a.kind = 'keys') as is_full
           from auth_sessions s where s.session_id = $1 and s.status = any($5) and s.vm_id is not null and exists (select from key)
           for no key update
         ), recorded as (
           insert into session_answers (answer_id, session_id, sealed_text, key_id, expires_at, kind, way)
           select $2, session_id, $3, $4, now() + make_interval(secs => $6::float8 / 1000), 'keys', way from held where not is_full
         ), changed as (
           update auth_sessions s set prompt = null, event_seq = s.event_seq + 1
           from held where s.session_id = held.session_id and not is_full and (is_first or was_asked)
           returning s.session_id, s.event_seq, is_first
         ), told as (
           insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, case when is_first then 'terminal_taken' else 'answer_received' end, 'person',
             jsonb_build_object('answerId', $2::text, 'kind', 'keys') from changed
         ) select is_full from held`,
        [
          ...[sessionId, answer.answerId, answer.sealedText, answer.keyId, ACTIVE, ttlMs],
          ...[MAX_KEYS_WAITING, MAX_KEYS],
        ],
      );
      const [row] = result.rows;
      if (row === undefined) return 'refused';
      if (row.is_full) return 'flooded';
      onChange(sessionId);
      return 'recorded';
    },

    /** For the VMs of a host, oldest first. */
    async listWaiting(hostId: string): Promise<WaitingAnswer[]> {
      const result = await pool.query<Waiting>(
        `select a.answer_id, a.session_id, s.vm_id, a.sealed_text, a.key_id, a.kind, a.token_kind, a.way from session_answers a
         join auth_sessions s on s.session_id = a.session_id and s.way = a.way join browser_vms v on v.vm_id = s.vm_id
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
        kind: row.kind,
        tokenKind: row.token_kind,
        way: row.way,
      }));
    },

    /** Must be true before the text is given to an agent: false once its time is over or the person changed the way. */
    async markSent(answerId: string): Promise<boolean> {
      const result = await pool.query(
        `update session_answers a set sent_at = coalesce(sent_at, clock_timestamp())
         where answer_id = $1 and sealed_text is not null and expires_at > clock_timestamp()
           and exists (select from auth_sessions s where s.session_id = a.session_id and s.way = a.way)`,
        [answerId],
      );
      return result.rowCount === 1;
    },

    /** The agent said so. Erases the text and appends `answer_delivered` (not for keys), once; also when the time was over meanwhile. */
    async markDelivered(sessionId: string, answerId: string): Promise<boolean> {
      const result = await pool.query<{ session_id: string }>(
        `with delivered as (
           update session_answers set delivered_at = clock_timestamp(), sealed_text = null,
             erased_at = coalesce(erased_at, clock_timestamp())
           where answer_id::text = $2 and session_id = $1 and delivered_at is null and refused_words is null returning session_id, kind
         ), changed as (
           update auth_sessions s set event_seq = event_seq + 1 from delivered where s.session_id = delivered.session_id and delivered.kind <> 'keys'
           returning s.session_id, s.event_seq
         ), told as (
           insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, 'answer_delivered', 'agent', jsonb_build_object('answerId', $2::text) from changed
         ) select session_id from delivered`,
        [sessionId, answerId],
      );
      if (result.rowCount !== 1) return false;
      onChange(sessionId);
      return true;
    },

    /** The agent said that the program was not given it and never will be, and why. Erases the text, once. */
    async markRefused(sessionId: string, answerId: string, words: string): Promise<boolean> {
      const result = await pool.query(
        `update session_answers set refused_words = $3, sealed_text = null, erased_at = coalesce(erased_at, clock_timestamp())
         where answer_id::text = $2 and session_id = $1 and delivered_at is null and refused_words is null`,
        [sessionId, answerId, toStorable(words)],
      );
      if (result.rowCount !== 1) return false;
      onChange(sessionId);
      return true;
    },

    async readProgress(answerId: string): Promise<AnswerProgress> {
      const result = await pool.query<Progress>(`select ${PROGRESS} from session_answers where answer_id = $1`, [
        answerId,
      ]);
      return toProgress(result.rows[0]);
    },

    /** Its time is over: erases the text, so that nobody delivers it any more. Returns how far it came. */
    async giveUp(answerId: string): Promise<AnswerProgress> {
      const result = await pool.query<Progress>(
        `update session_answers set sealed_text = null, erased_at = coalesce(erased_at, clock_timestamp()) where answer_id = $1
         returning ${PROGRESS}`,
        [answerId],
      );
      return toProgress(result.rows[0]);
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
