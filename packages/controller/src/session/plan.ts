/**
 * What to do next about one session, from its rows and what was observed: pure, no I/O, no clock but the row's own (I12).
 * A VM's end or a deadline ends a session only after settling: its agent, if it can still be reached, was asked for what it holds and
 * the link was read to its end (I3). A VM is destroyed only through here, after its session ended (I4).
 */
import type { Stage, SessionEvent } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { VmExit } from '@vestibule/protocol/vm';
import { isActive, type SessionRow, type VmRow } from './session-row.ts';

export type LinkFact = {
  /** `idle`: nothing is dialled; `dialling`: no answer yet; `connected`: said hello. */
  state: 'idle' | 'dialling' | 'connected';
  /** The agent answered the settle asked for on this link: all it held before was processed. */
  settled: boolean;
  /** The session's end was told on this link. */
  released: boolean;
  /** Why the last hand-over could not be stored, if it could not. */
  storeError: string | null;
};

export type VmFact = { state: 'running' } | { state: 'exited'; exit: VmExit } | { state: 'missing' };

export type LayerFact =
  { state: 'ready' } | { state: 'missing' } | { state: 'installing' } | { state: 'failed'; message: string };

export type Facts = {
  hostId: string;
  layer: LayerFact;
  /** In words, what another sign-in holds that this one needs before its VM can start; null when nothing. */
  blockedBy: string | null;
  /** Only for a VM of this host. */
  vm: { inspection: VmFact; link: LinkFact } | null;
};

export type Limits = { holdMs: number; bootMs: number };

export type Operation =
  | { kind: 'install_layer' }
  | { kind: 'wait'; waitingFor: string; stage: Stage }
  | { kind: 'place_vm' }
  | { kind: 'create_vm'; vm: VmRow }
  | { kind: 'dial'; vmId: string }
  | { kind: 'record_exit'; vmId: string; exit: VmExit }
  | { kind: 'begin_settling'; cause: SessionEvent }
  | { kind: 'ask_settle'; vmId: string }
  | { kind: 'end'; event: 'sign_in_failed' | 'vm_ended' | 'deadline_passed'; code: FailureCode; detail?: string }
  | { kind: 'release'; vmId: string }
  | { kind: 'destroy_vm'; vmId: string };

type Cause = { event: 'vm_ended' | 'deadline_passed'; code: FailureCode; detail?: string };

function planUnplaced(row: SessionRow, facts: Facts): Operation[] {
  if (row.now >= row.expiresAt) return [{ kind: 'end', event: 'deadline_passed', code: 'deadline_passed' }];
  const { layer } = facts;
  if (layer.state === 'failed')
    return [{ kind: 'end', event: 'sign_in_failed', code: 'cli_install_failed', detail: layer.message }];
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
  if (row.settlingSince === null) return [{ kind: 'begin_settling', cause: 'vm_ended' }];
  const heldMs = row.now.getTime() - row.settlingSince.getTime();
  return heldMs > limits.holdMs ? [{ kind: 'end', event: 'vm_ended', code: 'host_lost' }] : [];
}

function neverStarted(vm: VmRow, inspection: VmFact): boolean {
  return inspection.state === 'missing' && vm.state === 'creating' && vm.exitedAt === null;
}

function observeEnd(vm: VmRow, inspection: VmFact, now: Date): Operation[] {
  if (vm.exitedAt !== null || inspection.state === 'running' || neverStarted(vm, inspection)) return [];
  if (inspection.state === 'exited') return [{ kind: 'record_exit', vmId: vm.vmId, exit: inspection.exit }];
  const exit = { exitCode: null, signal: null, reason: 'vanished; nobody saw how it ended', at: now.toISOString() };
  return [{ kind: 'record_exit', vmId: vm.vmId, exit }];
}

/** Why the session should end by itself now, if it should. */
function findCause(row: SessionRow, vm: VmRow, inspection: VmFact, limits: Limits): Cause | null {
  const ended = inspection.state === 'exited' || (inspection.state === 'missing' && !neverStarted(vm, inspection));
  if (ended) {
    const booted = vm.state !== 'creating';
    const detail = inspection.state === 'exited' ? inspection.exit.reason : 'it vanished';
    return { event: 'vm_ended', code: booted ? 'vm_ended' : 'vm_start_failed', detail };
  }
  if (row.now >= row.expiresAt) return { event: 'deadline_passed', code: 'deadline_passed' };
  if (vm.state === 'creating' && row.now.getTime() - vm.createdAt.getTime() > limits.bootMs) {
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
  if (row.settlingSince === null) return [{ kind: 'begin_settling', cause: cause.event }];
  const { link, inspection } = facts;
  const end: Operation =
    link.storeError === null
      ? { kind: 'end', ...cause }
      : { kind: 'end', event: 'sign_in_failed', code: 'store_failed', detail: link.storeError };
  // An agent that was never claimed got no login plan: it holds nothing.
  if (row.status === 'started') return [end];
  const heldMs = row.now.getTime() - row.settlingSince.getTime();
  const running = inspection.state === 'running';
  if (link.state === 'connected') {
    // A link of a dead VM ends by itself once it is read to its end.
    if (!running) return [];
    // An agent that is frozen answers nothing: it counts as unreachable when the hold ends.
    if (link.settled || heldMs > limits.holdMs) return [end];
    return [{ kind: 'ask_settle', vmId }];
  }
  return !running || heldMs > limits.holdMs ? [end] : [];
}

function planActive(row: SessionRow, facts: Facts, limits: Limits): Operation[] {
  if (row.vm === null) return planUnplaced(row, facts);
  if (facts.vm === null) return planElsewhere(row, limits);
  const { vm } = row;
  const { inspection, link } = facts.vm;
  const operations = observeEnd(vm, inspection, row.now);
  if (neverStarted(vm, inspection) && row.now < row.expiresAt) operations.push({ kind: 'create_vm', vm });
  if (inspection.state === 'running' && link.state === 'idle') operations.push({ kind: 'dial', vmId: vm.vmId });
  const cause = findCause(row, vm, inspection, limits);
  return cause === null ? operations : [...operations, ...planSettling(row, vm.vmId, cause, facts.vm, limits)];
}

function planEnded(row: SessionRow, facts: Facts): Operation[] {
  const { vm } = row;
  if (vm === null || facts.vm === null || vm.state === 'gone') return [];
  const { inspection, link } = facts.vm;
  const operations = observeEnd(vm, inspection, row.now);
  if (link.state === 'connected' && !link.released) operations.push({ kind: 'release', vmId: vm.vmId });
  if (inspection.state === 'running' && link.state === 'idle') operations.push({ kind: 'dial', vmId: vm.vmId });
  const nothingLeft = inspection.state !== 'running' && link.state !== 'connected';
  const graceOver = vm.destroyAt !== null && row.now >= vm.destroyAt;
  if (nothingLeft || graceOver) operations.push({ kind: 'destroy_vm', vmId: vm.vmId });
  return operations;
}

export function plan(row: SessionRow, facts: Facts, limits: Limits): Operation[] {
  return isActive(row) ? planActive(row, facts, limits) : planEnded(row, facts);
}
