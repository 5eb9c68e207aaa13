/**
 * The VM death matrix, as data: every way a VM can end at every moment of its session, with the outcome of the session and the record of
 * the VM that must come of it (I3). Tests walk its cells over a runtime; docs/death-matrix.md is made from it.
 */
import type { TerminalStatus } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { VmState } from '@vestibule/protocol/vm';

/** Ways, in words for the docs. */
export const WAYS = {
  clean: 'ends by itself with code 0',
  non_zero: 'ends by itself with code 3',
  signal: 'first process killed by SIGKILL',
  vanished: 'gone together with its supervisor',
  frozen: 'says and does nothing, and does not end when asked',
  host_gone: 'its host is silent for longer than the hold, while another controller looks on',
} as const;
export type DeathWay = keyof typeof WAYS;

/** Moments in the order of a session. */
export const MOMENTS = {
  starting: 'the VM starts; its agent has not answered yet',
  before_url: 'the agent has the session; the sign-in page is not open yet',
  awaiting_person: 'the sign-in page is open',
  file_incomplete: 'the person is done; the credential’s file is not complete',
  handover_in_flight: 'the agent has handed over; the controller has not committed',
  unacknowledged: 'the credential is committed; the link broke before the agent was told',
  in_grace: 'the session is completed; the VM waits for its end',
  after: 'the VM was destroyed; one of its name surfaces again and ends so',
} as const;
export type DeathMoment = keyof typeof MOMENTS;

export type Cell = {
  status: TerminalStatus;
  errorCode: FailureCode | null;
  vm: { state: VmState; exitCode: number | null; exitReason: string | null };
  /** What the timeline says of the VM's end: `none` when nobody could observe one. */
  exitEvent: 'normal' | 'not normal' | 'none';
};

type Session = Pick<Cell, 'status' | 'errorCode'>;
type VmRecord = Pick<Cell, 'vm'>;

const COMPLETED: Session = { status: 'completed', errorCode: null };
const failed = (errorCode: FailureCode): Session => ({ status: 'failed', errorCode });
const TIMED_OUT: Session = { status: 'timeout', errorCode: 'deadline_passed' };

const gone = (exitCode: number | null, exitReason: string): VmRecord => ({
  vm: { state: 'gone', exitCode, exitReason },
});
/** As its own end leaves it. */
const ENDED = {
  clean: gone(0, 'exited with code 0'),
  non_zero: gone(3, 'exited with code 3'),
  signal: gone(137, 'exited with code 137 (as if by SIGKILL)'),
  vanished: gone(null, 'vanished with its supervisor'),
} as const;
/** A frozen VM is ended by us, after its session. */
const FROZEN: VmRecord = gone(
  137,
  'exited with code 137 (as if by SIGKILL): it did not end within 1000 ms of being asked',
);
/** Nobody can reach the VM: it is given up, with no end written down, until its host is back and destroys it. */
const LOST: VmRecord = { vm: { state: 'lost', exitCode: null, exitReason: null } };
/** A VM told to end exits with 1 on purpose. */
const SHUT_DOWN: Cell = { ...COMPLETED, ...gone(1, 'exited with code 1'), exitEvent: 'normal' };

type Row = Readonly<Record<DeathWay, Cell>>;

function unfinished(errorCode: FailureCode): Row {
  const end = { ...failed(errorCode), exitEvent: 'not normal' } as const;
  return {
    clean: { ...end, ...ENDED.clean },
    non_zero: { ...end, ...ENDED.non_zero },
    signal: { ...end, ...ENDED.signal },
    vanished: { ...end, ...ENDED.vanished },
    frozen: { ...TIMED_OUT, ...FROZEN, exitEvent: 'normal' },
    host_gone: { ...failed('host_lost'), ...LOST, exitEvent: 'none' },
  };
}

/** `exitEvent`: before the commit an end is not normal, although the session completes all the same. */
function completed(exitEvent: 'normal' | 'not normal'): Row {
  return {
    clean: { ...COMPLETED, ...ENDED.clean, exitEvent },
    non_zero: { ...COMPLETED, ...ENDED.non_zero, exitEvent },
    signal: { ...COMPLETED, ...ENDED.signal, exitEvent },
    vanished: { ...COMPLETED, ...ENDED.vanished, exitEvent },
    frozen: { ...COMPLETED, ...FROZEN, exitEvent: 'normal' },
    host_gone: { ...COMPLETED, ...LOST, exitEvent: 'none' },
  };
}

export const DEATH_MATRIX: Readonly<Record<DeathMoment, Row>> = {
  starting: unfinished('vm_start_failed'),
  before_url: unfinished('vm_ended'),
  awaiting_person: unfinished('vm_ended'),
  file_incomplete: unfinished('vm_ended'),
  handover_in_flight: completed('not normal'),
  unacknowledged: completed('normal'),
  in_grace: completed('normal'),
  after: {
    clean: SHUT_DOWN,
    non_zero: SHUT_DOWN,
    signal: SHUT_DOWN,
    vanished: SHUT_DOWN,
    frozen: SHUT_DOWN,
    host_gone: SHUT_DOWN,
  },
};
