/** A session as its rows say it, with its VM and credential beside it; what stores return and `plan` reads. */
import type { Restriction, Session } from '@vestibule/protocol/api';
import type {
  ActiveStatus,
  Capability,
  Evidence,
  Mode,
  SessionEvent,
  SessionEventType,
  SessionStep,
  Stage,
  Status,
} from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { RuntimeKind, VmState } from '@vestibule/protocol/vm';
import { isTerminal, toGrade } from '@vestibule/protocol/session';

export type VmRow = {
  vmId: string;
  hostId: string;
  runtime: RuntimeKind;
  slot: number;
  state: VmState;
  epoch: number;
  createdAt: Date;
  destroyAt: Date | null;
  exitCode: number | null;
  exitReason: string | null;
  exitedAt: Date | null;
};

export type SessionRow = {
  sessionId: string;
  userId: string;
  provider: string;
  status: Status;
  mode: Mode;
  /** Counts the changes of `mode` from 1. */
  way: number;
  /** Whom the sign-in must be of; empty for anybody. */
  restriction: Restriction;
  /** The person agreed to a first harmless use of the login. */
  mayUse: boolean;
  /** The CLI's question that nobody has answered yet. */
  prompt: string | null;
  /** There is an offer of the present way, and its time is not over. */
  offered: boolean;
  stage: Stage;
  createdAt: Date;
  updatedAt: Date;
  expiresAt: Date;
  settlingSince: Date | null;
  waitingFor: string | null;
  capabilities: Capability[];
  completedAt: Date | null;
  endedAt: Date | null;
  errorCode: FailureCode | null;
  errorMessage: string | null;
  errorStage: Stage | null;
  lateRefusedAt: Date | null;
  seq: number;
  account: string | null;
  accountPlan: string | null;
  /** Of the stored credential; null until there is one. */
  evidence: Evidence[] | null;
  credentialVersion: number | null;
  vm: VmRow | null;
  /** Milliseconds since the VM's host was last seen; null without a VM. */
  hostSilentMs: number | null;
  /** The database's clock at the moment of reading (I12). */
  now: Date;
};

export type NewStep = { type: SessionEventType; actor: SessionStep['actor']; data?: Record<string, unknown> };

/** Why settling begins, and as what the session would end if nothing is found: for whoever reads the timeline. */
export type SettlingCause = { cause: SessionEvent; code: FailureCode; detail?: string };

/** Why a VM is destroyed: the grace after its session is over, or it had ended before. */
export type DestroyCause = 'grace_over' | 'had_ended';

export function isActive(row: SessionRow): row is SessionRow & { status: ActiveStatus } {
  return !isTerminal(row.status);
}

function toLiveView(row: SessionRow): Session['liveView'] {
  if (!isActive(row)) return 'ended';
  return row.capabilities.includes('display') && row.vm?.state === 'claimed' ? 'ready' : 'preparing';
}

/** What a client sees of the row. */
export function toSession(row: SessionRow): Session {
  const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
  return {
    sessionId: row.sessionId,
    userId: row.userId,
    provider: row.provider,
    status: row.status,
    mode: row.mode,
    stage: row.stage,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    remainingMs: isActive(row) ? Math.max(0, row.expiresAt.getTime() - row.now.getTime()) : 0,
    completedAt: iso(row.completedAt),
    endedAt: iso(row.endedAt),
    errorCode: row.errorCode,
    errorMessage: row.errorMessage,
    errorStage: row.errorStage,
    account: row.account,
    accountPlan: row.accountPlan,
    grade: row.evidence && toGrade(row.evidence),
    restriction: row.restriction,
    mayUse: row.mayUse,
    way: row.way,
    offered: isActive(row) && row.offered,
    prompt: isActive(row) ? row.prompt : null,
    credentialVersion: row.credentialVersion,
    capabilities: row.capabilities,
    liveView: toLiveView(row),
    waitingFor: isActive(row) ? row.waitingFor : null,
    vm: row.vm && {
      vmId: row.vm.vmId,
      state: row.vm.state,
      runtime: row.vm.runtime,
      exitCode: row.vm.exitCode,
      exitReason: row.vm.exitReason,
      destroyAt: iso(row.vm.destroyAt),
      destroyInMs: row.vm.destroyAt && Math.max(0, row.vm.destroyAt.getTime() - row.now.getTime()),
    },
    lateRefused: row.lateRefusedAt !== null,
    seq: row.seq,
  };
}
