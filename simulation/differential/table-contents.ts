/** What the tables hold at the end of a sequence, from PostgreSQL and from the model in one form: without ids and times of their own. */
import type { Pool } from 'pg';
import type { ModelDatabase } from '../model/model-database.ts';

export type TableContents = { sessions: unknown[]; vms: unknown[]; credentials: unknown[]; events: unknown[] };

/** The part of an event's data that both sides make alike. */
function toData(data: Record<string, unknown>): string {
  const { vmId, code, cause, exitCode, normal, version, capability, waitingFor, from, to, way, text } = data;
  return JSON.stringify({ vmId, code, cause, exitCode, normal, version, capability, waitingFor, from, to, way, text });
}

/** `order`: the ids of the sequence's sessions, oldest first. */
export async function readPostgres(
  pool: Pool,
  order: readonly string[],
  vmIds: readonly string[],
): Promise<TableContents> {
  const sessions = await pool.query(
    `select array_position($1::uuid[], session_id) as n, status, mode, way, prompt, stage, vm_id as "vmId", waiting_for as "waitingFor", capabilities,
       error_code as "errorCode", error_stage as "errorStage", event_seq::int as seq, settling_since is not null as settling,
       late_refused_at is not null as late, credential_id is not null as stored
     from auth_sessions where session_id = any($1) order by n`,
    [order],
  );
  const vms = await pool.query(
    `select vm_id as "vmId", slot, state, epoch, exit_code as "exitCode", claimed_at is not null as claimed, destroy_at is not null as doomed
     from browser_vms where vm_id = any($1) order by vm_id`,
    [vmIds],
  );
  const credentials = await pool.query(
    `select array_position($1::uuid[], source_session_id) as n, version, content_hash as "contentHash", key_id as "keyId"
     from provider_credentials where source_session_id = any($1) order by n`,
    [order],
  );
  const events = await pool.query<{
    n: number;
    seq: number;
    type: string;
    actor: string;
    data: Record<string, unknown>;
  }>(
    `select array_position($1::uuid[], session_id) as n, seq::int, type, actor, data
     from auth_session_events where session_id = any($1) order by n, seq`,
    [order],
  );
  return {
    sessions: sessions.rows,
    vms: vms.rows,
    credentials: credentials.rows,
    events: events.rows.map(({ data, ...row }) => ({ ...row, data: toData(data) })),
  };
}

export function readModel(db: ModelDatabase, order: readonly string[]): TableContents {
  const number = (id: string | null): number => order.indexOf(id ?? '') + 1;
  const sessions = order.map((id) => db.sessions.get(id)).filter((one) => one !== undefined);
  return {
    sessions: sessions.map((one) => ({
      ...{
        n: number(one.sessionId),
        status: one.status,
        mode: one.mode,
        way: one.way,
        prompt: one.prompt,
        stage: one.stage,
        vmId: one.vmId,
        waitingFor: one.waitingFor,
      },
      ...{ capabilities: one.capabilities, errorCode: one.errorCode, errorStage: one.errorStage, seq: one.seq },
      ...{ settling: one.settlingSince !== null, late: one.lateRefusedAt !== null, stored: one.credentialId !== null },
    })),
    vms: [...db.vms.values()]
      .toSorted((a, b) => (a.vmId < b.vmId ? -1 : 1))
      .map(({ vmId, slot, state, epoch, exitCode, claimedAt, destroyAt }) => ({
        ...{ vmId, slot, state, epoch, exitCode, claimed: claimedAt !== null, doomed: destroyAt !== null },
      })),
    credentials: [...db.credentials.values()]
      .map(({ sourceSessionId, version, contentHash, keyId }) => ({
        n: number(sourceSessionId),
        version,
        contentHash,
        keyId,
      }))
      .toSorted((a, b) => a.n - b.n),
    events: order.flatMap((id) =>
      (db.events.get(id) ?? []).map(({ seq, type, actor, data }) => ({
        n: number(id),
        seq,
        type,
        actor,
        data: toData(data),
      })),
    ),
  };
}
