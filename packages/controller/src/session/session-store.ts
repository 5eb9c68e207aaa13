/**
 * The only door to `auth_sessions` and `auth_session_events`. Every change is one guarded statement (guard in the `where`, never
 * read-then-write) that appends its event in the same statement, and tells `onChange` after it is committed.
 */
import type { Restriction } from '@vestibule/protocol/api';
import type { Capability, Mode, SessionEvent, SessionStep, Stage, TerminalStatus } from '@vestibule/protocol/session';
import { ACTIVE_STATUSES } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { Pool } from 'pg';
import type { Sql } from '../db/sql.ts';
import { sources, targetOf } from './machine.ts';
import type { NewStep, SessionRow, SettlingCause } from './session-row.ts';
import { SESSION_SELECT, type SessionRecord, toSessionRow } from './session-select.ts';

export type NewSession = {
  userId: string;
  provider: string;
  mode: Mode;
  expiresInMs: number;
  /** Whom it must be of; nothing is said for anybody. */
  restriction?: Restriction;
  mayUse?: boolean;
};
export type Ending = { event: SessionEvent; code: FailureCode; message: string; actor: SessionStep['actor'] };

const UNIQUE_VIOLATION = '23505';
const ACTIVE = [...ACTIVE_STATUSES];
/** As the partial indexes say it, or they would not be used. */
const isActiveSql = (alias: string): string => `${alias}.status in ('started', 'vm_created', 'awaiting_user_auth')`;

/** Inserts the event of a row that the CTE `changed` has just numbered; type, actor and data are the last three parameters. */
function logged(first: number): string {
  return `insert into auth_session_events (session_id, seq, type, actor, data)
    select session_id, event_seq, $${first}, $${first + 1}, $${first + 2}::jsonb from changed`;
}

function toParameters(step: NewStep): [string, string, string] {
  // PostgreSQL keeps neither NUL nor half a surrogate pair; a step refused for its words would block all that the agent says after it.
  const data = JSON.stringify(step.data ?? {}, (_key, value: unknown) =>
    typeof value === 'string' ? toStorable(value) : value,
  );
  return [step.type, step.actor, data];
}

export function toStorable(text: string): string {
  return Buffer.from(text.replaceAll('\u0000', '')).toString();
}

type StepRecord = Omit<SessionStep, 'seq' | 'at'> & { session_id: string; seq: string; at: Date };

const END_STEP = { failed: 'session_failed', timeout: 'session_timed_out', cancelled: 'session_cancelled' } as const;

export type SessionStore = ReturnType<typeof createSessionStore>;

export type SessionStoreDeps = {
  pool: Pool;
  graceMs: number;
  /** After commit. */
  onChange: (sessionId: string) => void;
  /** After commit; for counting. */
  onEnded: (status: TerminalStatus) => void;
};

export function createSessionStore(deps: SessionStoreDeps) {
  const { pool, onChange } = deps;

  async function change(sessionId: string, text: string, values: unknown[], sql: Sql = pool): Promise<boolean> {
    const result = await sql.query(text, values);
    const changed = (result.rowCount ?? 0) > 0;
    if (changed && sql === pool) onChange(sessionId);
    return changed;
  }

  /** `name`: prepared under it, once for a connection; for what is asked often. */
  async function readRows(where: string, values: unknown[], name?: string): Promise<SessionRow[]> {
    const text = `${SESSION_SELECT} ${where}`;
    const result = await pool.query<SessionRecord>(name === undefined ? { text, values } : { name, text, values });
    return result.rows.map(toSessionRow);
  }

  /** The steps of each session after the `seq` given for it, in their order; nothing of a session that has none. */
  async function listStepsAfter(seen: ReadonlyMap<string, number>): Promise<Map<string, SessionStep[]>> {
    const found = new Map<string, SessionStep[]>();
    if (seen.size === 0) return found;
    const { rows } = await pool.query<StepRecord>({
      name: 'list_steps_after',
      text: `select e.session_id, e.seq, e.at, e.type, e.actor, e.data from unnest($1::uuid[], $2::bigint[]) as seen (session_id, seq)
        join auth_session_events e on e.session_id = seen.session_id and e.seq > seen.seq order by e.session_id, e.seq`,
      values: [[...seen.keys()], [...seen.values()]],
    });
    for (const { session_id: sessionId, seq, at, ...step } of rows) {
      const steps = found.get(sessionId) ?? [];
      found.set(sessionId, steps);
      steps.push({ ...step, seq: Number(seq), at: at.toISOString() });
    }
    return found;
  }

  async function insert(session: NewSession, sql: Sql = pool, supersedes?: string): Promise<string> {
    const { expectedAccount, allowedDomains, organization } = session.restriction ?? {};
    const data = { mode: session.mode, ...(supersedes === undefined ? {} : { supersedes }) };
    const step = toParameters({ type: 'session_created', actor: 'person', data });
    const result = await sql.query<{ session_id: string }>(
      `with changed as (
         insert into auth_sessions (user_id, provider, mode, expires_at, event_seq, expected_account, allowed_domains, organization, may_use)
         values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4::float8 / 1000), 1, $5, $6, $7, $8)
         returning session_id, event_seq
       ) ${logged(9)} returning session_id`,
      [
        ...[session.userId, session.provider, session.mode, session.expiresInMs, expectedAccount ?? null],
        ...[allowedDomains ?? null, organization ?? null, session.mayUse ?? false, ...step],
      ],
    );
    const id = result.rows[0]?.session_id;
    if (id === undefined) throw new Error('inserting an auth session returned no row');
    return id;
  }

  async function end(sessionId: string, ending: Ending, sql: Sql = pool): Promise<boolean> {
    const status = targetOf(ending.event);
    if (status !== 'failed' && status !== 'timeout' && status !== 'cancelled')
      throw new Error(`${ending.event} does not end`);
    const step = toParameters({
      type: END_STEP[status],
      actor: ending.actor,
      data: { code: ending.code, cause: ending.event, message: ending.message },
    });
    const ended = await change(
      sessionId,
      `with changed as (
         update auth_sessions set status = $2, ended_at = clock_timestamp(), error_code = $4, error_message = $5,
           error_stage = stage, event_seq = event_seq + 1
         where session_id = $1 and status = any($3) returning session_id, event_seq, vm_id
       ), doomed as (
         update browser_vms v set destroy_at = clock_timestamp() + make_interval(secs => $6::float8 / 1000)
         from changed where v.vm_id = changed.vm_id and v.destroy_at is null
       ) ${logged(7)}`,
      [sessionId, status, sources(ending.event, status), ending.code, ending.message, deps.graceMs, ...step],
      sql,
    );
    if (ended) deps.onEnded(status);
    return ended;
  }

  return {
    end: (sessionId: string, ending: Ending) => end(sessionId, ending),

    /** The new session's id, or null when the user has an active session for the provider already (I9). */
    async create(session: NewSession): Promise<string | null> {
      try {
        const id = await insert(session);
        onChange(id);
        return id;
      } catch (error) {
        if ((error as { code?: string }).code === UNIQUE_VIOLATION) return null;
        throw error;
      }
    },

    /** Ends the active session and begins the new one in one transaction; null when the old one had ended otherwise meanwhile. */
    async supersede(oldId: string, ending: Ending, session: NewSession): Promise<string | null> {
      const client = await pool.connect();
      let broken = false;
      try {
        await client.query('begin');
        const ended = await end(oldId, ending, client);
        const id = ended ? await insert(session, client, oldId) : null;
        await client.query('commit');
        onChange(oldId);
        if (id !== null) onChange(id);
        return id;
      } catch (error) {
        broken = await client.query('rollback').then(
          () => false,
          () => true,
        );
        throw error;
      } finally {
        client.release(broken);
      }
    },

    async find(sessionId: string): Promise<SessionRow | null> {
      const [row] = await readRows('where s.session_id = $1', [sessionId], 'find_session');
      return row ?? null;
    },

    /** Those that there are, in any order. */
    findMany: (sessionIds: readonly string[]) =>
      readRows('where s.session_id = any($1::uuid[])', [sessionIds], 'find_sessions'),

    async findActive(userId: string, provider: string): Promise<SessionRow | null> {
      const [row] = await readRows('where s.user_id = $1 and s.provider = $2 and s.status = any($3)', [
        userId,
        provider,
        ACTIVE,
      ]);
      return row ?? null;
    },

    /** Newest first. */
    listByUser: (userId: string) => readRows('where s.user_id = $1 order by s.created_at desc limit 100', [userId]),

    /**
     * What the reconciler of a host looks at: sessions that wait for a place, those whose VM on this host is not gone, and those whose VM
     * is on a host not seen for longer than `holdMs` and is not lost yet. While one waits for a place, all active ones: what they hold may
     * be in its way. (A VM is gone only after its session ended.) Each part has its index: thousands of sessions elsewhere cost nothing.
     */
    listUnsettled: (hostId: string, holdMs: number) =>
      readRows(
        `where s.session_id in (
           select a.session_id from auth_sessions a where a.vm_id is null and ${isActiveSql('a')}
           union all
           select a.session_id from browser_vms o join auth_sessions a on a.vm_id = o.vm_id where o.host_id = $1 and o.state <> 'gone'
           union all
           select a.session_id from hosts oh join browser_vms o on o.host_id = oh.host_id and o.state not in ('gone', 'lost')
             join auth_sessions a on a.vm_id = o.vm_id
             where oh.seen_at < clock_timestamp() - make_interval(secs => $2::float8 / 1000)
           union all
           select a.session_id from auth_sessions a where ${isActiveSql('a')}
             and exists (select from auth_sessions w where w.vm_id is null and ${isActiveSql('w')})
         ) order by s.created_at`,
        [hostId, holdMs],
      ),

    /** Active ones whose VM is on that host. */
    listPlaced: (hostId: string) => readRows(`where v.host_id = $1 and ${isActiveSql('s')}`, [hostId]),

    async countActive(): Promise<number> {
      const result = await pool.query<{ n: number }>(
        'select count(*)::int as n from auth_sessions where status = any($1)',
        [ACTIVE],
      );
      return result.rows[0]?.n ?? 0;
    },

    async listSteps(sessionId: string, afterSeq: number): Promise<SessionStep[]> {
      return (await listStepsAfter(new Map([[sessionId, afterSeq]]))).get(sessionId) ?? [];
    },

    listStepsAfter,

    /** Newest `seq` of each session that has one above what is given: the backstop when a notification was lost. */
    async listBehind(seen: ReadonlyMap<string, number>): Promise<string[]> {
      if (seen.size === 0) return [];
      const result = await pool.query<{ session_id: string }>({
        name: 'list_behind',
        text: `select s.session_id from unnest($1::uuid[], $2::bigint[]) as seen (session_id, seq)
            join auth_sessions s on s.session_id = seen.session_id and s.event_seq > seen.seq`,
        values: [[...seen.keys()], [...seen.values()]],
      });
      return result.rows.map((row) => row.session_id);
    },

    /** Adds an event that changes no status; `activeOnly` events are dropped once the session ended. */
    append(sessionId: string, step: NewStep, activeOnly = true): Promise<boolean> {
      return change(
        sessionId,
        `with changed as (
           update auth_sessions set event_seq = event_seq + 1 where session_id = $1 and (status = any($2) or not $3)
           returning session_id, event_seq
         ) ${logged(4)}`,
        [sessionId, ACTIVE, activeOnly, ...toParameters(step)],
      );
    },

    /** As `append`, but what was said before in the same words changes nothing: an agent repeats itself at every new link. */
    appendOnce(sessionId: string, step: NewStep): Promise<boolean> {
      return change(
        sessionId,
        `with changed as (
           update auth_sessions s set event_seq = event_seq + 1 where session_id = $1 and status = any($2)
             and not exists (select from auth_session_events e
               where e.session_id = s.session_id and e.type = $3 and e.actor = $4 and e.data = $5::jsonb)
           returning session_id, event_seq
         ) ${logged(3)}`,
        [sessionId, ACTIVE, ...toParameters(step)],
      );
    },

    addCapability(sessionId: string, capability: Capability, afterMs: number): Promise<boolean> {
      const step = toParameters({ type: 'capability_ready', actor: 'agent', data: { capability, afterMs } });
      return change(
        sessionId,
        `with changed as (
           update auth_sessions set capabilities = capabilities || $2::text, event_seq = event_seq + 1
           where session_id = $1 and status = any($3) and not capabilities @> array[$2::text] returning session_id, event_seq
         ) ${logged(4)}`,
        [sessionId, capability, ACTIVE, ...step],
      );
    },

    /**
     * Tells why the session waits before its VM is placed. What a host said last it does not say again: several controllers look at the
     * same session, each with a reason of its own, and must not answer each other for ever.
     */
    setWaiting(sessionId: string, waitingFor: string | null, stage: Stage, hostId: string): Promise<boolean> {
      const step = toParameters({ type: 'waiting', actor: 'controller', data: { waitingFor, hostId } });
      return change(
        sessionId,
        `with changed as (
           update auth_sessions s set waiting_for = $2, stage = $3, event_seq = event_seq + 1
           where session_id = $1 and status = any($4) and vm_id is null and waiting_for is distinct from $2
             and $2 is distinct from (select e.data->>'waitingFor' from auth_session_events e
               where e.session_id = s.session_id and e.type = 'waiting' and e.data->>'hostId' = $5 order by e.seq desc limit 1)
           returning session_id, event_seq
         ) ${logged(6)}`,
        [sessionId, waitingFor, stage, ACTIVE, hostId, ...step],
      );
    },

    /** The agent was claimed for the session: `started → vm_created`. */
    claim(sessionId: string, vmId: string, data: Record<string, unknown>): Promise<boolean> {
      return change(
        sessionId,
        `with changed as (
           update auth_sessions set status = 'vm_created', stage = 'starting_sign_in', event_seq = event_seq + 1
           where session_id = $1 and vm_id = $2 and status = any($3) returning session_id, event_seq
         ) ${logged(4)}`,
        [
          sessionId,
          vmId,
          sources('vm_claimed', 'vm_created'),
          ...toParameters({ type: 'vm_claimed', actor: 'controller', data }),
        ],
      );
    },

    /** The sign-in page was opened: `vm_created → awaiting_user_auth`. */
    openUrl(sessionId: string, data: Record<string, unknown>): Promise<boolean> {
      return change(
        sessionId,
        `with changed as (
           update auth_sessions set status = 'awaiting_user_auth', stage = 'awaiting_person', event_seq = event_seq + 1
           where session_id = $1 and status = any($2) returning session_id, event_seq
         ) ${logged(3)}`,
        [
          sessionId,
          sources('url_opened', 'awaiting_user_auth'),
          ...toParameters({ type: 'url_opened', actor: 'agent', data }),
        ],
      );
    },

    /** The person chose another way to sign in: `way` counts up, what the old way asked and offered is gone. False when nothing changed. */
    changeMode(sessionId: string, mode: Mode): Promise<boolean> {
      return change(
        sessionId,
        `with before as (
           select session_id, mode from auth_sessions where session_id = $1 and status = any($3) and mode <> $2 for no key update
         ), changed as (
           update auth_sessions s set mode = $2, way = s.way + 1, prompt = null, event_seq = s.event_seq + 1
           from before where s.session_id = before.session_id returning s.session_id, s.event_seq, s.way, before.mode as from_mode
         ) insert into auth_session_events (session_id, seq, type, actor, data)
           select session_id, event_seq, 'mode_changed', 'person', jsonb_build_object('from', from_mode, 'to', $2::text, 'way', way) from changed`,
        [sessionId, mode, ACTIVE],
      );
    },

    /** The CLI asks what its dialogue does not know: shown until it is answered. What is shown already changes nothing. */
    showPrompt(sessionId: string, text: string): Promise<boolean> {
      const prompt = toStorable(text);
      return change(
        sessionId,
        `with changed as (
           update auth_sessions set prompt = $2, event_seq = event_seq + 1
           where session_id = $1 and status = any($3) and prompt is distinct from $2 returning session_id, event_seq
         ) ${logged(4)}`,
        [sessionId, prompt, ACTIVE, ...toParameters({ type: 'prompt_shown', actor: 'agent', data: { text: prompt } })],
      );
    },

    /** Durable start of settling (I3); true the first time. */
    beginSettling(sessionId: string, why: SettlingCause): Promise<boolean> {
      return change(
        sessionId,
        `with changed as (
           update auth_sessions set settling_since = clock_timestamp(), event_seq = event_seq + 1
           where session_id = $1 and status = any($2) and settling_since is null returning session_id, event_seq
         ) ${logged(3)}`,
        [sessionId, ACTIVE, ...toParameters({ type: 'settling', actor: 'controller', data: why })],
      );
    },

    /** A login surfaced after the end (I5): noted once, on any terminal status. */
    recordLateRefusal(sessionId: string, handoverId: string, reason: string): Promise<boolean> {
      return change(
        sessionId,
        `with changed as (
           update auth_sessions set late_refused_at = clock_timestamp(), event_seq = event_seq + 1
           where session_id = $1 and late_refused_at is null and status <> all($2) returning session_id, event_seq
         ) ${logged(3)}`,
        [sessionId, ACTIVE, ...toParameters({ type: 'late_refused', actor: 'agent', data: { handoverId, reason } })],
      );
    },
  };
}
