/** The one SELECT that reads a session with its VM, its credential and the database's clock, and the mapping of its rows. */
import type { SessionRow, VmRow } from './session-row.ts';

/**
 * Append a `where`; `s` is the session, `v` its VM, `h` the VM's host. Every column by name: a prepared statement must return the same
 * columns after the next release's migration added one.
 */
export const SESSION_SELECT = `
  select s.session_id, s.user_id, s.provider, s.status, s.mode, s.way, s.stage, s.vm_id, s.created_at, s.updated_at, s.expires_at,
    s.settling_since, s.waiting_for, s.capabilities, s.completed_at, s.ended_at, s.error_code, s.error_message, s.error_stage,
    s.late_refused_at, s.event_seq, s.expected_account, s.allowed_domains, s.organization, s.may_use, s.prompt,
    clock_timestamp() as read_at, c.account, c.account_plan, c.evidence, c.version as credential_version,
    o.session_id is not null and coalesce(o.expires_at > clock_timestamp(), true) as offered,
    v.host_id, v.runtime, v.slot, v.state as vm_state, v.epoch, v.created_at as vm_created_at, v.destroy_at,
    v.exit_code, v.exit_reason, v.exited_at, extract(epoch from clock_timestamp() - h.seen_at) * 1000 as host_silent_ms
  from auth_sessions s
  left join browser_vms v on v.vm_id = s.vm_id
  left join hosts h on h.host_id = v.host_id
  left join provider_credentials c on c.credential_id = s.credential_id
  left join session_offers o on o.session_id = s.session_id and o.way = s.way and o.sealed_offer is not null`;

/** As `pg` returns it: snake case, bigint and numeric as text. */
export type SessionRecord = {
  session_id: string;
  user_id: string;
  provider: string;
  status: SessionRow['status'];
  mode: SessionRow['mode'];
  way: number;
  stage: SessionRow['stage'];
  vm_id: string | null;
  created_at: Date;
  updated_at: Date;
  expires_at: Date;
  settling_since: Date | null;
  waiting_for: string | null;
  capabilities: SessionRow['capabilities'];
  completed_at: Date | null;
  ended_at: Date | null;
  error_code: SessionRow['errorCode'];
  error_message: string | null;
  error_stage: SessionRow['errorStage'];
  late_refused_at: Date | null;
  event_seq: string;
  expected_account: string | null;
  allowed_domains: string[] | null;
  organization: string | null;
  may_use: boolean;
  prompt: string | null;
  read_at: Date;
  account: string | null;
  account_plan: string | null;
  evidence: SessionRow['evidence'];
  offered: boolean;
  credential_version: number | null;
  host_id: string;
  runtime: VmRow['runtime'];
  slot: number;
  vm_state: VmRow['state'];
  epoch: number;
  vm_created_at: Date;
  destroy_at: Date | null;
  exit_code: number | null;
  exit_reason: string | null;
  exited_at: Date | null;
  host_silent_ms: string | null;
};

function toVm(record: SessionRecord, vmId: string): VmRow {
  return {
    vmId,
    hostId: record.host_id,
    runtime: record.runtime,
    slot: record.slot,
    state: record.vm_state,
    epoch: record.epoch,
    createdAt: record.vm_created_at,
    destroyAt: record.destroy_at,
    exitCode: record.exit_code,
    exitReason: record.exit_reason,
    exitedAt: record.exited_at,
  };
}

function toRestriction(record: SessionRecord): SessionRow['restriction'] {
  return {
    ...(record.expected_account === null ? {} : { expectedAccount: record.expected_account }),
    ...(record.allowed_domains === null ? {} : { allowedDomains: record.allowed_domains }),
    ...(record.organization === null ? {} : { organization: record.organization }),
  };
}

export function toSessionRow(record: SessionRecord): SessionRow {
  return {
    sessionId: record.session_id,
    userId: record.user_id,
    provider: record.provider,
    status: record.status,
    mode: record.mode,
    way: record.way,
    restriction: toRestriction(record),
    mayUse: record.may_use,
    prompt: record.prompt,
    offered: record.offered,
    stage: record.stage,
    createdAt: record.created_at,
    updatedAt: record.updated_at,
    expiresAt: record.expires_at,
    settlingSince: record.settling_since,
    waitingFor: record.waiting_for,
    capabilities: record.capabilities,
    completedAt: record.completed_at,
    endedAt: record.ended_at,
    errorCode: record.error_code,
    errorMessage: record.error_message,
    errorStage: record.error_stage,
    lateRefusedAt: record.late_refused_at,
    seq: Number(record.event_seq),
    account: record.account,
    accountPlan: record.account_plan,
    evidence: record.evidence,
    credentialVersion: record.credential_version,
    vm: record.vm_id === null ? null : toVm(record, record.vm_id),
    hostSilentMs: record.host_silent_ms === null ? null : Number(record.host_silent_ms),
    now: record.read_at,
  };
}
