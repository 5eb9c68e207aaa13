/**
 * Holds the rows against what really happened, after every transaction: a session that ended is as its journal demands, what ended stays,
 * and nothing was answered or destroyed before its time. Each violation names its invariant.
 */
import { isTerminal } from '@vestibule/protocol/session';
import type { ModelDatabase, ModelSession } from '../model/model-database.ts';
import type { Journal, VmTruth } from './journal.ts';

/** A sign-in that succeeded and was in reach for so long without a break must not end otherwise. */
export const FALSE_FAILURE_AFTER_MS = 5_000;
/** An agent in reach for so long must have been asked before its session ends by itself, and what it then holds must be refused in words. */
export const IN_REACH_MS = 1_500;

/** What an agent offered less than that before the end may have crossed with its answer that it held nothing. */
const ASKED_MS = 300;
/** From the start of a VM to its first answer. */
const BOOT_MS = 300;

export type JudgeDeps = {
  tables: ModelDatabase;
  journal: Journal;
  nowMs: () => number;
  holdMs: number;
  /** A hand-over of this VM is under way to a controller that can still read it. */
  hasUnreadHandover: (vmId: string) => boolean;
};

export class Judge {
  readonly #deps: JudgeDeps;
  readonly #ended = new Map<string, string>();

  constructor(deps: JudgeDeps) {
    this.#deps = deps;
  }

  report = (violation: string): void => {
    const { journal, nowMs } = this.#deps;
    journal.violations.push(`at ${nowMs()} ms: ${violation}`);
  };

  /** After a transaction. */
  look(): void {
    for (const session of this.#deps.tables.sessions.values()) {
      if (!isTerminal(session.status)) continue;
      const outcome = toOutcome(session);
      const before = this.#ended.get(session.sessionId);
      if (before === undefined) {
        this.#ended.set(session.sessionId, outcome);
        this.#judgeEnd(session);
      } else if (before !== outcome) this.report(`I2: ${session.sessionId} was ${before} and became ${outcome}`);
    }
    this.#judgeCredentials();
  }

  /** The agent was answered. */
  answered(sessionId: string, result: 'stored' | 'refused', hash: string): void {
    const session = this.#deps.tables.sessions.get(sessionId);
    const credential = this.#deps.tables.credentials.get(session?.credentialId ?? '');
    const isStored = session?.status === 'completed' && credential?.contentHash === hash;
    if (result === 'stored' && !isStored) this.report(`I5: ${sessionId} was answered stored, and nothing is`);
    if (result === 'refused' && isStored) this.report(`I5: ${sessionId} was answered refused, and it is stored`);
    if (result === 'refused' && session !== undefined && !isTerminal(session.status))
      this.report(`I5: ${sessionId} was answered refused while it is active`);
  }

  /** Somebody destroys a VM. */
  destroying(vmId: string, isRunning: boolean): void {
    const { tables, nowMs } = this.#deps;
    const session = [...tables.sessions.values()].find((one) => one.vmId === vmId);
    if (session === undefined || !isRunning) return;
    if (!isTerminal(session.status))
      return this.report(`I4: ${vmId} is destroyed while ${session.sessionId} is ${session.status}`);
    const destroyAt = tables.vms.get(vmId)?.destroyAt;
    if (destroyAt === null || destroyAt === undefined || destroyAt.getTime() > EPOCH_MS + nowMs())
      this.report(`I4: ${vmId} is destroyed before its grace is over`);
  }

  /** Everything had time to come to its end. */
  judgeRest(isLost: (hostId: string) => boolean): void {
    const { tables, journal } = this.#deps;
    for (const session of tables.sessions.values()) {
      const { sessionId, status, vmId } = session;
      if (!isTerminal(status)) this.report(`I3: ${sessionId} never ends: ${status}`);
      const truth = vmId === null ? undefined : journal.vms.get(vmId);
      const isLate = truth?.offeredAtMs !== null && truth !== undefined && status !== 'completed';
      if (isLate && truth.longestReachableLateMs >= IN_REACH_MS && session.lateRefusedAt === null)
        this.report(`I5: ${sessionId} ended as ${status}; its login surfaced later and nobody said so`);
    }
    for (const vm of tables.vms.values())
      if (vm.state !== 'gone' && !(isLost(vm.hostId) && vm.state === 'lost'))
        this.report(`I4: ${vm.vmId} is never gone: ${vm.state}`);
  }

  #judgeEnd(session: ModelSession): void {
    const truth = session.vmId === null ? undefined : this.#deps.journal.vms.get(session.vmId);
    if (session.status === 'completed') return this.#judgeSuccess(session, truth);
    if (session.errorCode === 'host_lost' && truth !== undefined && isInReachSinceStart(truth))
      this.report(`I3: ${session.sessionId} ended as ${session.status} (host_lost), and its host was never silent`);
    if (truth === undefined || truth.succeededAtMs === null || session.status === 'cancelled') return;
    const reachMs = truth.reachableSinceMs === null ? 0 : this.#deps.nowMs() - truth.reachableSinceMs;
    const longestMs = Math.max(truth.longestReachableMs, Math.min(reachMs, this.#deps.nowMs() - truth.succeededAtMs));
    const words = `${session.sessionId} ended as ${session.status} (${session.errorCode}) although its sign-in succeeded at ${truth.succeededAtMs} ms`;
    if (longestMs >= FALSE_FAILURE_AFTER_MS) this.report(`false failure: ${words}, in reach for ${longestMs} ms`);
    const offeredMs = truth.offeredAtMs === null ? 0 : this.#deps.nowMs() - truth.offeredAtMs;
    if (reachMs >= IN_REACH_MS && offeredMs >= ASKED_MS)
      this.report(`I3: ${words}, and its agent was in reach for ${reachMs} ms`);
    if (reachMs > 0 && offeredMs >= ASKED_MS && session.errorCode === 'deadline_passed' && this.#isHeld(session))
      this.report(`I3: ${words}, and its agent was in reach and not asked before the hold was over`);
    if (session.errorCode === 'vm_ended' && this.#isHeld(session) && this.#deps.hasUnreadHandover(truth.vmId))
      this.report(`I3: ${words}, and the link of its VM was not read to its end`);
  }

  /** Its hold is not over yet. */
  #isHeld({ expiresAt, settlingSince, errorCode }: ModelSession): boolean {
    if (settlingSince === null) return true;
    const since =
      errorCode === 'deadline_passed'
        ? Math.max(expiresAt.getTime(), settlingSince.getTime())
        : settlingSince.getTime();
    return EPOCH_MS + this.#deps.nowMs() - since < this.#deps.holdMs;
  }

  #judgeSuccess(session: ModelSession, truth: VmTruth | undefined): void {
    const credential = this.#deps.tables.credentials.get(session.credentialId ?? '');
    if (credential?.sourceSessionId !== session.sessionId)
      this.report(`I1: ${session.sessionId} is completed without a credential of its own`);
    else if (truth?.acceptable.has(credential.contentHash ?? '') !== true)
      this.report(`I6: false success: ${session.sessionId} is completed by what its CLI did not write to its end`);
  }

  #judgeCredentials(): void {
    const { tables } = this.#deps;
    for (const { credentialId, sourceSessionId } of tables.credentials.values()) {
      if (sourceSessionId !== null && tables.sessions.get(sourceSessionId)?.credentialId !== credentialId)
        this.report(`I1: ${credentialId} is stored without completing ${sourceSessionId}`);
    }
  }
}

const EPOCH_MS = Date.UTC(2026, 0, 1);

function isInReachSinceStart({ startedAtMs, reachableSinceMs }: VmTruth): boolean {
  return reachableSinceMs !== null && reachableSinceMs - startedAtMs <= BOOT_MS;
}

function toOutcome(session: ModelSession): string {
  return `${session.status} ${session.errorCode ?? ''} ${session.credentialId ?? ''} ${session.completedAt?.getTime() ?? ''}`;
}
