/**
 * What to do next about one session, from its rows and what was observed: pure, no I/O, no clock but the row's own (I12).
 * A VM's end or a deadline ends a session only after settling: its agent, if it can still be reached, was asked for what it holds and
 * the link was read to its end (I3). A VM is destroyed only through here, after its session ended (I4).
 */
import type { Stage } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { VmExit } from '@vestibule/protocol/vm';
import { type DestroyCause, isActive, type SessionRow, type SettlingCause, type VmRow } from './session-row.ts';
import type { InstallRecord } from '../fleet/vm-store.ts';

export type LinkFact = {
  /** `idle`: nothing is dialled; `dialling`: no answer yet; `connected`: said hello. */
  state: 'idle' | 'dialling' | 'connected';
  /** How long it has been so, in this process; 0 while idle. */
  stateMs: number;
  /** Since this process first dialled, not counting time in which it stood still; 0 while idle. */
  triedMs: number;
  /** Since the last settle was asked on this link, all time counted: it is held against the rows; null when none was. */
  askedMs: number | null;
  /** The agent answered the last settle asked on this link: all it held before was processed. */
  settled: boolean;
  /** The way to sign in that was told on this link last; null when none was. */
  toldWay: number | null;
  /** The session's end was told on this link. */
  released: boolean;
  /** Why the last hand-over could not be stored, if it could not. */
  storeError: string | null;
};

export type VmFact = { state: 'running' } | { state: 'exited'; exit: VmExit } | { state: 'missing' };

export type LayerFact =
  /** `not_offered`: by this controller; another one may offer it. */
  | { state: 'ready' }
  | { state: 'not_offered' }
  | { state: 'missing' }
  | { state: 'installing' }
  | { state: 'failed'; message: string };

export type Facts = {
  hostId: string;
  layer: LayerFact;
  /** How installing went on the hosts; read while the layer is not ready here. */
  installs: InstallRecord;
  /** In words, what another sign-in holds that this one needs before its VM can start; null when nothing. */
  blockedBy: string | null;
  /** Only for a VM of this host. */
  vm: { inspection: VmFact; link: LinkFact } | null;
};

export type Limits = { holdMs: number; bootMs: number };

export type Operation =
  | { kind: 'install_layer' }
  | { kind: 'record_layer_failure'; message: string }
  | { kind: 'wait'; waitingFor: string; stage: Stage }
  | { kind: 'place_vm' }
  | { kind: 'create_vm'; vm: VmRow }
  | { kind: 'dial'; vmId: string }
  | { kind: 'record_exit'; vmId: string; exit: VmExit }
  | ({ kind: 'begin_settling' } & SettlingCause)
  | { kind: 'ask_settle'; vmId: string }
  | { kind: 'tell_way'; vmId: string }
  | { kind: 'end'; event: 'sign_in_failed' | 'vm_ended' | 'deadline_passed'; code: FailureCode; detail?: string }
  | { kind: 'release'; vmId: string }
  | { kind: 'mark_lost'; vmId: string }
  | { kind: 'destroy_vm'; vm: VmRow; cause: DestroyCause };

/** A running agent is reached within this time, or not at all. */
const REACH_MS = 10_000;
/** An agent that breaks its link again and again is not heard for longer. */
const HEARING_MS = 30_000;

type Cause = { event: 'vm_ended' | 'deadline_passed'; code: FailureCode; detail?: string };

/** This host cannot run the CLI: the session ends only when no other one is left that might. */
function planNotHere({ message, hostLeft }: InstallRecord): Operation[] {
  if (message === null || hostLeft) return [];
  return [{ kind: 'end', event: 'sign_in_failed', code: 'cli_install_failed', detail: message }];
}

function planUnplaced(row: SessionRow, facts: Facts): Operation[] {
  if (row.now >= row.expiresAt) return [{ kind: 'end', event: 'deadline_passed', code: 'deadline_passed' }];
  const { layer, installs } = facts;
  if (layer.state === 'failed' && !installs.failedHere)
    return [{ kind: 'record_layer_failure', message: layer.message }];
  if (layer.state === 'not_offered' || (installs.failedHere && layer.state !== 'ready')) return planNotHere(installs);
  if (layer.state !== 'ready') {
    const waiting: Operation = {
      kind: 'wait',
      waitingFor: 'The program is being installed on this server.',
      stage: 'installing',
    };
    return layer.state === 'missing' ? [waiting, { kind: 'install_layer' }] : [waiting];
  }
  if (facts.blockedBy !== null) return [{ kind: 'wait', waitingFor: facts.blockedBy, stage: 'starting_vm' }];
  return [{ kind: 'place_vm' }];
}

/** A host that says nothing is unreachable, not lost, until its hold ends. */
function planElsewhere(row: SessionRow, limits: Limits): Operation[] {
  if (row.hostSilentMs === null || row.hostSilentMs <= limits.holdMs) return [];
  if (row.settlingSince === null) return [{ kind: 'begin_settling', cause: 'vm_ended', code: 'host_lost' }];
  const heldMs = row.now.getTime() - row.settlingSince.getTime();
  return heldMs > limits.holdMs ? [{ kind: 'end', event: 'vm_ended', code: 'host_lost' }] : [];
}

function neverStarted(vm: VmRow, inspection: VmFact): boolean {
  return inspection.state === 'missing' && vm.state === 'creating' && vm.exitedAt === null;
}

export function toUnseenExit(now: Date): VmExit {
  return { exitCode: null, signal: null, reason: 'vanished; nobody saw how it ended', at: now.toISOString() };
}

function observeEnd(vm: VmRow, inspection: VmFact, now: Date): Operation[] {
  if (vm.exitedAt !== null || inspection.state === 'running' || neverStarted(vm, inspection)) return [];
  if (inspection.state === 'exited') return [{ kind: 'record_exit', vmId: vm.vmId, exit: inspection.exit }];
  return [{ kind: 'record_exit', vmId: vm.vmId, exit: toUnseenExit(now) }];
}

/** A question of the program that is open at the deadline is what the time ran out on. */
function toDeadlineCause({ prompt }: SessionRow): Cause {
  if (prompt === null) return { event: 'deadline_passed', code: 'deadline_passed' };
  return { event: 'deadline_passed', code: 'unexpected_prompt', detail: prompt };
}

/** Why the session should end by itself now, if it should. */
function findCause(
  row: SessionRow,
  vm: VmRow,
  { inspection, link }: NonNullable<Facts['vm']>,
  limits: Limits,
): Cause | null {
  const ended = inspection.state === 'exited' || (inspection.state === 'missing' && !neverStarted(vm, inspection));
  if (ended) {
    const booted = vm.state !== 'creating';
    const detail = inspection.state === 'exited' ? inspection.exit.reason : 'it vanished';
    return { event: 'vm_ended', code: booted ? 'vm_ended' : 'vm_start_failed', detail };
  }
  if (row.now >= row.expiresAt) return toDeadlineCause(row);
  // Counted from the first dial: a controller that was away has not asked yet.
  if (vm.state === 'creating' && link.state === 'dialling' && link.stateMs > limits.bootMs) {
    return { event: 'vm_ended', code: 'vm_start_failed', detail: 'it did not answer in time' };
  }
  return null;
}

function planSettling(
  row: SessionRow,
  vmId: string,
  cause: Cause,
  facts: NonNullable<Facts['vm']>,
  limits: Limits,
): Operation[] {
  const { event, ...why } = cause;
  if (row.settlingSince === null) return [{ kind: 'begin_settling', cause: event, ...why }];
  const { link, inspection } = facts;
  const end: Operation =
    link.storeError === null
      ? { kind: 'end', ...cause }
      : { kind: 'end', event: 'sign_in_failed', code: 'store_failed', detail: link.storeError };
  // An agent that was never claimed got no login plan: it holds nothing.
  if (row.status === 'started') return [end];
  const { holdMs } = limits;
  // Settling may have begun long before, for a silence of the host that ended.
  const since = cause.event === 'deadline_passed' ? row.expiresAt : row.settlingSince;
  const heldMs = row.now.getTime() - Math.max(since.getTime(), row.settlingSince.getTime());
  if (inspection.state !== 'running') {
    // A link of a dead VM ends by itself once it is read to its end.
    return link.state === 'connected' && heldMs <= holdMs ? [] : [end];
  }
  // Whatever the agent does, it is waited for no longer; a controller that was away must have tried by itself for as long.
  const isHoldOver = heldMs > holdMs && link.triedMs > holdMs;
  if (link.state !== 'connected') {
    return isHoldOver || (heldMs > holdMs && link.stateMs > Math.min(holdMs, REACH_MS)) ? [end] : [];
  }
  // An answer to a question from before says nothing of what the agent holds now.
  const isAnswered = link.settled && link.askedMs !== null && link.askedMs <= heldMs;
  if (isAnswered || isHoldOver) return [end];
  return link.askedMs === null || link.settled ? [{ kind: 'ask_settle', vmId }] : [];
}

/** A controller that has no link to the agent began to settle, to supersede the session. */
function wantsSettling(row: SessionRow, link: LinkFact): boolean {
  if (row.settlingSince === null || link.state !== 'connected') return false;
  return link.askedMs === null || link.askedMs > row.now.getTime() - row.settlingSince.getTime();
}

function planActive(row: SessionRow, facts: Facts, limits: Limits): Operation[] {
  if (row.vm === null) return planUnplaced(row, facts);
  if (facts.vm === null) return planElsewhere(row, limits);
  const { vm } = row;
  const { inspection, link } = facts.vm;
  const operations = observeEnd(vm, inspection, row.now);
  if (neverStarted(vm, inspection) && row.now < row.expiresAt) operations.push({ kind: 'create_vm', vm });
  if (inspection.state === 'running' && link.state === 'idle') operations.push({ kind: 'dial', vmId: vm.vmId });
  // The person changed it, at this or another controller.
  if (link.toldWay !== null && link.toldWay < row.way) operations.push({ kind: 'tell_way', vmId: vm.vmId });
  const cause = findCause(row, vm, facts.vm, limits);
  if (cause === null && wantsSettling(row, link)) operations.push({ kind: 'ask_settle', vmId: vm.vmId });
  return cause === null ? operations : [...operations, ...planSettling(row, vm.vmId, cause, facts.vm, limits)];
}

/** What the agent of a lost VM holds is heard (and refused) before the VM is destroyed: nobody could ask while its host was away. */
function planHearing(vm: VmRow, { inspection, link }: NonNullable<Facts['vm']>): Operation[] | null {
  if (vm.state !== 'lost' || inspection.state !== 'running') return null;
  if (link.state === 'idle') return [{ kind: 'dial', vmId: vm.vmId }];
  if (link.state === 'dialling') return link.stateMs > REACH_MS || link.triedMs > HEARING_MS ? null : [];
  if (link.askedMs === null) return [{ kind: 'ask_settle', vmId: vm.vmId }];
  return link.settled || link.askedMs > REACH_MS ? null : [];
}

function planEnded(row: SessionRow, facts: Facts, limits: Limits): Operation[] {
  const { vm } = row;
  if (vm === null || vm.state === 'gone') return [];
  if (facts.vm === null) {
    const isSilent = row.hostSilentMs !== null && row.hostSilentMs > limits.holdMs;
    return isSilent && vm.state !== 'lost' ? [{ kind: 'mark_lost', vmId: vm.vmId }] : [];
  }
  const hearing = planHearing(vm, facts.vm);
  if (hearing !== null) return hearing;
  const { inspection, link } = facts.vm;
  // Of a VM that is missing, the runtime still knows how it ended: destroying it again tells.
  const operations = inspection.state === 'missing' ? [] : observeEnd(vm, inspection, row.now);
  if (link.state === 'connected' && !link.released) operations.push({ kind: 'release', vmId: vm.vmId });
  if (inspection.state === 'running' && link.state === 'idle') operations.push({ kind: 'dial', vmId: vm.vmId });
  const nothingLeft = inspection.state !== 'running' && link.state !== 'connected';
  // A session that ended in the very moment its VM was placed could not set its time: nothing of it was ever used.
  const graceOver = vm.destroyAt === null || row.now >= vm.destroyAt;
  // One that is draining is being ended by us.
  const cause = nothingLeft && vm.state !== 'draining' ? 'had_ended' : 'grace_over';
  if (nothingLeft || graceOver) operations.push({ kind: 'destroy_vm', vm, cause });
  return operations;
}

export function plan(row: SessionRow, facts: Facts, limits: Limits): Operation[] {
  return isActive(row) ? planActive(row, facts, limits) : planEnded(row, facts, limits);
}
