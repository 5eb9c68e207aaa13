/**
 * What each statement of the product's stores does, on the model: the same guards, the same rows, the same events. The differential run
 * holds every one of them against the real SQL.
 */
import { isTerminal, type SessionStep, type Status } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { RuntimeKind, VmExit } from '@vestibule/protocol/vm';
import type { Handover } from '@vestibule/protocol/agent-messages';
import type { HandoverState, SealedCredential } from '@vestibule/controller/session/completion-store';
import { sources, targetOf } from '@vestibule/controller/session/machine';
import type { DestroyCause, NewStep, SessionRow, SettlingCause } from '@vestibule/controller/session/session-row';
import type { Ending, NewSession } from '@vestibule/controller/session/session-store';
import type { HostOffer, InstallRecord, VmClaim, VmPlacement } from '@vestibule/controller/fleet/vm-store';
import type { ModelDatabase, ModelSession } from './model-database.ts';

const END_STEP = { failed: 'session_failed', timeout: 'session_timed_out', cancelled: 'session_cancelled' } as const;

const after = (now: Date, ms: number): Date => new Date(now.getTime() + ms);
export const isActive = (session: ModelSession): boolean => !isTerminal(session.status);

/** Changes the session and appends its event, as each statement of the store does. */
export function log(
  db: ModelDatabase,
  session: ModelSession,
  change: Partial<ModelSession>,
  step: NewStep,
  now: Date,
): void {
  const changed = db.updateSession(session, { ...change, seq: session.seq + 1, updatedAt: now });
  const { type, actor, data = {} } = step;
  db.appendEvent(session.sessionId, {
    seq: changed.seq,
    at: now.toISOString(),
    type,
    actor,
    data,
  } satisfies SessionStep);
}

/** Changes the session when the guard holds. */
export function change(
  db: ModelDatabase,
  sessionId: string,
  guard: (session: ModelSession) => boolean,
  what: Partial<ModelSession>,
  step: NewStep,
  now: Date,
): boolean {
  const session = db.sessions.get(sessionId);
  if (session === undefined || !guard(session)) return false;
  log(db, session, what, step, now);
  return true;
}

export function toRow(db: ModelDatabase, session: ModelSession, now: Date): SessionRow {
  const vm = session.vmId === null ? null : (db.vms.get(session.vmId) ?? null);
  const credential = session.credentialId === null ? null : db.credentials.get(session.credentialId);
  const host = vm === null ? undefined : db.hosts.get(vm.hostId);
  return {
    ...session,
    vm: vm === null ? null : { ...vm },
    account: credential?.account ?? null,
    accountPlan: credential?.accountPlan ?? null,
    evidence: credential?.evidence ?? null,
    // Offers decide nothing: the model has none.
    offered: false,
    credentialVersion: credential?.version ?? null,
    hostSilentMs: host === undefined ? null : now.getTime() - host.seenAt.getTime(),
    now,
  };
}

export function insertSession(
  db: ModelDatabase,
  sessionId: string,
  session: NewSession,
  now: Date,
  supersedes?: string,
): string {
  const { userId, provider, mode, expiresInMs, restriction = {}, mayUse = false } = session;
  db.insertSession({
    ...{ sessionId, userId, provider, mode, status: 'started', stage: 'installing', vmId: null, credentialId: null },
    ...{ createdAt: now, updatedAt: now, expiresAt: after(now, expiresInMs), settlingSince: null, waitingFor: null },
    ...{ capabilities: [], completedAt: null, endedAt: null, errorCode: null, errorMessage: null, errorStage: null },
    ...{ lateRefusedAt: null, seq: 1, way: 1, prompt: null, restriction, mayUse },
  });
  const data = { mode, ...(supersedes === undefined ? {} : { supersedes }) };
  const step = { seq: 1, at: now.toISOString(), type: 'session_created', actor: 'person', data } as const;
  db.appendEvent(sessionId, step);
  return sessionId;
}

export function end(db: ModelDatabase, sessionId: string, ending: Ending, graceMs: number, now: Date): boolean {
  const status = targetOf(ending.event) as keyof typeof END_STEP;
  const session = db.sessions.get(sessionId);
  if (session === undefined || !sources(ending.event, status).includes(session.status)) return false;
  const { code, message, actor, event } = ending;
  const words = { errorCode: code satisfies FailureCode, errorMessage: message, errorStage: session.stage };
  log(
    db,
    session,
    { status, endedAt: now, ...words },
    { type: END_STEP[status], actor, data: { code, cause: event, message } },
    now,
  );
  doom(db, session, graceMs, now, false);
  return true;
}

function doom(db: ModelDatabase, session: ModelSession, graceMs: number, now: Date, again: boolean): void {
  const vm = session.vmId === null ? undefined : db.vms.get(session.vmId);
  if (vm !== undefined && (again || vm.destroyAt === null)) db.updateVm(vm, { destroyAt: after(now, graceMs) });
}

export function append(db: ModelDatabase, id: string, step: NewStep, activeOnly: boolean, now: Date): boolean {
  return change(db, id, (session) => isActive(session) || !activeOnly, {}, step, now);
}

export function appendOnce(db: ModelDatabase, sessionId: string, step: NewStep, now: Date): boolean {
  const said = JSON.stringify(step.data ?? {});
  const wasSaid = (db.events.get(sessionId) ?? []).some(
    ({ type, actor, data }) => type === step.type && actor === step.actor && JSON.stringify(data) === said,
  );
  return !wasSaid && change(db, sessionId, isActive, {}, step, now);
}

export function addCapability(
  db: ModelDatabase,
  sessionId: string,
  capability: SessionRow['capabilities'][number],
  afterMs: number,
  now: Date,
): boolean {
  const session = db.sessions.get(sessionId);
  if (session === undefined || !isActive(session) || session.capabilities.includes(capability)) return false;
  const step = { type: 'capability_ready', actor: 'agent', data: { capability, afterMs } } as const;
  log(db, session, { capabilities: [...session.capabilities, capability] }, step, now);
  return true;
}

export function setWaiting(
  db: ModelDatabase,
  sessionId: string,
  waitingFor: string | null,
  stage: ModelSession['stage'],
  hostId: string,
  now: Date,
): boolean {
  const said = (db.events.get(sessionId) ?? []).findLast(
    ({ type, data }) => type === 'waiting' && data['hostId'] === hostId,
  );
  const isNews = said === undefined ? waitingFor !== null : said.data['waitingFor'] !== waitingFor;
  const guard = (one: ModelSession): boolean =>
    isActive(one) && one.vmId === null && one.waitingFor !== waitingFor && isNews;
  return change(
    db,
    sessionId,
    guard,
    { waitingFor, stage },
    { type: 'waiting', actor: 'controller', data: { waitingFor, hostId } },
    now,
  );
}

/** A change of status by an event of the machine, for its VM only when one is named. */
function move(
  db: ModelDatabase,
  sessionId: string,
  vmId: string | null,
  [event, status, stage]: ['vm_claimed' | 'url_opened', Status, ModelSession['stage']],
  step: NewStep,
  now: Date,
): boolean {
  const from = sources(event, status);
  const guard = (one: ModelSession): boolean => from.includes(one.status) && (vmId === null || one.vmId === vmId);
  return change(db, sessionId, guard, { status, stage }, step, now);
}

export function claim(
  db: ModelDatabase,
  sessionId: string,
  vmId: string,
  data: Record<string, unknown>,
  now: Date,
): boolean {
  const step = { type: 'vm_claimed', actor: 'controller', data } as const;
  return move(db, sessionId, vmId, ['vm_claimed', 'vm_created', 'starting_sign_in'], step, now);
}

export function openUrl(db: ModelDatabase, sessionId: string, data: Record<string, unknown>, now: Date): boolean {
  const step = { type: 'url_opened', actor: 'agent', data } as const;
  return move(db, sessionId, null, ['url_opened', 'awaiting_user_auth', 'awaiting_person'], step, now);
}

export function beginSettling(db: ModelDatabase, sessionId: string, why: SettlingCause, now: Date): boolean {
  const guard = (session: ModelSession): boolean => isActive(session) && session.settlingSince === null;
  const step = { type: 'settling', actor: 'controller', data: why } as const;
  return change(db, sessionId, guard, { settlingSince: now }, step, now);
}

export function recordLateRefusal(
  db: ModelDatabase,
  sessionId: string,
  handoverId: string,
  reason: string,
  now: Date,
): boolean {
  const guard = (session: ModelSession): boolean => !isActive(session) && session.lateRefusedAt === null;
  const step = { type: 'late_refused', actor: 'agent', data: { handoverId, reason } } as const;
  return change(db, sessionId, guard, { lateRefusedAt: now }, step, now);
}

export function complete(
  db: ModelDatabase,
  sessionId: string,
  vmId: string,
  handover: Handover,
  sealed: SealedCredential,
  graceMs: number,
  now: Date,
): boolean {
  const session = db.sessions.get(sessionId);
  const from = sources('credential_stored', 'completed');
  if (session?.vmId !== vmId || !from.includes(session.status) || !db.activeKeys.has(sealed.keyId)) return false;
  const { userId, provider } = session;
  const { account, contentHash, evidence, handoverId, organization = null, accountPlan = null } = handover;
  const versions = [...db.credentials.values()].filter((one) => one.userId === userId && one.provider === provider);
  const version = Math.max(0, ...versions.map((one) => one.version)) + 1;
  const data = { version, evidence, handoverId };
  const ended = { status: 'completed', stage: 'storing', completedAt: now, endedAt: now } as const;
  log(
    db,
    session,
    { ...ended, credentialId: sealed.credentialId },
    { type: 'credential_stored', actor: 'agent', data },
    now,
  );
  db.insertCredential({
    ...sealed,
    userId,
    provider,
    account,
    organization,
    accountPlan,
    evidence,
    version,
    source: 'sign_in',
    sourceSessionId: sessionId,
    contentHash,
  });
  doom(db, session, graceMs, now, true);
  return true;
}

export function readHandover(
  db: ModelDatabase,
  sessionId: string,
  vmId: string,
  handover: Handover,
): HandoverState | null {
  const session = db.sessions.get(sessionId);
  if (session?.vmId !== vmId) return null;
  if (isActive(session)) return { kind: 'active' };
  const credential = session.credentialId === null ? undefined : db.credentials.get(session.credentialId);
  if (credential === undefined) return { kind: 'ended' };
  return { kind: credential.contentHash === handover.contentHash ? 'stored' : 'stored_other' };
}

export function place(db: ModelDatabase, sessionId: string, placement: VmPlacement, now: Date): boolean {
  const { vmId, hostId, runtime, maxVms, sessionMs } = placement;
  const session = db.sessions.get(sessionId);
  if (session === undefined || session.vmId !== null || session.status !== 'started') return false;
  const taken = new Set(
    [...db.vms.values()].filter((vm) => vm.hostId === hostId && vm.state !== 'gone').map((vm) => vm.slot),
  );
  const slot = Array.from({ length: maxVms }, (_, index) => index).find((index) => !taken.has(index));
  if (slot === undefined) return false;
  db.insertVm({
    ...{ vmId, hostId, runtime: runtime satisfies RuntimeKind, slot, state: 'creating', epoch: 0, createdAt: now },
    ...{ destroyAt: null, exitCode: null, exitReason: null, exitSignal: null, exitedAt: null, bootNonce: null },
    ...{ claimedAt: null, goneAt: null },
  });
  const what = { vmId, stage: 'starting_vm', waitingFor: null, expiresAt: after(now, sessionMs) } as const;
  log(db, session, what, { type: 'vm_creating', actor: 'controller', data: { vmId, runtime, hostId } }, now);
  return true;
}

export function greet(db: ModelDatabase, vmId: string, bootNonce: string): VmClaim | null {
  const vm = db.vms.get(vmId);
  if (vm === undefined || vm.state === 'gone' || (vm.bootNonce !== null && vm.bootNonce !== bootNonce)) return null;
  const state = vm.state === 'creating' ? 'ready' : vm.state;
  const { epoch, claimedAt } = db.updateVm(vm, { epoch: vm.epoch + 1, bootNonce, state });
  return { epoch, sessionId: findSessionOf(db, vmId)?.sessionId ?? null, claimedBefore: claimedAt !== null };
}

export function markClaimed(db: ModelDatabase, vmId: string, now: Date): void {
  const vm = db.vms.get(vmId);
  if (vm?.state === 'creating' || vm?.state === 'ready') db.updateVm(vm, { state: 'claimed', claimedAt: now });
}

export function markDraining(db: ModelDatabase, vmId: string): void {
  const vm = db.vms.get(vmId);
  if (vm !== undefined && vm.state !== 'gone' && vm.state !== 'draining') db.updateVm(vm, { state: 'draining' });
}

export function markLost(db: ModelDatabase, vmId: string, holdMs: number, now: Date): string | null {
  const vm = db.vms.get(vmId);
  const session = findSessionOf(db, vmId);
  const seenAt = vm === undefined ? undefined : db.hosts.get(vm.hostId)?.seenAt;
  if (vm === undefined || session === null || seenAt === undefined || isActive(session)) return null;
  if (vm.state === 'gone' || vm.state === 'lost' || now.getTime() - seenAt.getTime() <= holdMs) return null;
  db.updateVm(vm, { state: 'lost' });
  log(db, session, {}, { type: 'vm_lost', actor: 'controller', data: { hostId: vm.hostId } }, now);
  return session.sessionId;
}

export function listUnsettled(db: ModelDatabase, hostId: string, holdMs: number, now: Date): SessionRow[] {
  const isUnplaced = (one: ModelSession): boolean => isActive(one) && one.vmId === null;
  const doesOneWait = [...db.sessions.values()].some(isUnplaced);
  const rows: SessionRow[] = [];
  for (const session of db.sessions.values()) {
    const vm = session.vmId === null ? undefined : db.vms.get(session.vmId);
    const isOurs = vm?.hostId === hostId && vm.state !== 'gone';
    const seenAt = vm === undefined ? undefined : db.hosts.get(vm.hostId)?.seenAt;
    const isSilent = seenAt !== undefined && now.getTime() - seenAt.getTime() > holdMs;
    const isGivenUp = isSilent && vm?.state !== 'gone' && vm?.state !== 'lost';
    if (isUnplaced(session) || isOurs || isGivenUp || (doesOneWait && isActive(session)))
      rows.push(toRow(db, session, now));
  }
  return rows;
}

const LIVE_MS = 15_000;

export function countPlaces(db: ModelDatabase, now: Date): number {
  const living = [...db.hosts.values()].filter(({ seenAt }) => now.getTime() - seenAt.getTime() < LIVE_MS);
  return living.reduce((sum, { offer }) => sum + offer.maxVms, 0);
}

export function readInstalls(
  db: ModelDatabase,
  sessionId: string,
  provider: string,
  hostId: string,
  now: Date,
): InstallRecord {
  const failures = (db.events.get(sessionId) ?? []).filter(({ type }) => type === 'layer_failed');
  const failed = new Set(failures.map(({ data }) => data['hostId']));
  const isLeft = ([id, { offer, seenAt }]: [string, { offer: HostOffer; seenAt: Date }]): boolean =>
    id !== hostId &&
    offer.providers.includes(provider) &&
    now.getTime() - seenAt.getTime() < LIVE_MS &&
    !failed.has(id);
  const message = failures.at(-1)?.data['message'];
  return {
    failedHere: failed.has(hostId),
    message: typeof message === 'string' ? message : null,
    hostLeft: [...db.hosts].some(isLeft),
  };
}

export function recordExit(db: ModelDatabase, vmId: string, exit: VmExit, now: Date): string | null {
  lockSessionFirst(db, vmId);
  const vm = db.vms.get(vmId);
  if (vm === undefined || vm.exitedAt !== null || vm.state === 'gone') return null;
  const { exitCode, reason, signal, at } = exit;
  db.updateVm(vm, { exitCode, exitSignal: signal, exitReason: reason, exitedAt: new Date(at) });
  const session = findSessionOf(db, vmId);
  if (session === null) return null;
  const data = { exitCode, reason, normal: !isActive(session) };
  log(db, session, {}, { type: 'vm_exited', actor: 'supervisor', data }, now);
  return session.sessionId;
}

export function markGone(db: ModelDatabase, vmId: string, cause: DestroyCause, now: Date): string | null {
  lockSessionFirst(db, vmId);
  const vm = db.vms.get(vmId);
  if (vm === undefined || vm.state === 'gone') return null;
  db.updateVm(vm, { state: 'gone', goneAt: now });
  const session = findSessionOf(db, vmId);
  if (session === null) return null;
  log(db, session, {}, { type: 'vm_destroyed', actor: 'controller', data: { cause } }, now);
  return session.sessionId;
}

/** Both lock the session's row before they look at the VM's. */
function lockSessionFirst(db: ModelDatabase, vmId: string): void {
  const session = findSessionOf(db, vmId);
  if (session !== null) db.locks.add(`session ${session.sessionId}`);
}

function findSessionOf(db: ModelDatabase, vmId: string): ModelSession | null {
  for (const session of db.sessions.values()) if (session.vmId === vmId) return session;
  return null;
}
