/**
 * The session machine: what each event does in each status. Pure: no I/O, no clock.
 * `null` means the event changes nothing there; a terminal status changes never (I2).
 */
import type { SessionEvent, Status } from '@vestibule/protocol/session';
import { STATUSES } from '@vestibule/protocol/session';

type Row = Readonly<Record<SessionEvent, Status | null>>;

const FROZEN: Row = {
  vm_claimed: null,
  url_opened: null,
  credential_stored: null,
  sign_in_failed: null,
  vm_ended: null,
  deadline_passed: null,
  cancel_requested: null,
};

/** Every active status may end in each of the four ways: a controller that was away learns late. */
const ENDS = {
  credential_stored: 'completed',
  sign_in_failed: 'failed',
  vm_ended: 'failed',
  deadline_passed: 'timeout',
  cancel_requested: 'cancelled',
} as const satisfies Partial<Row>;

export const MACHINE: Readonly<Record<Status, Row>> = {
  started: { ...ENDS, vm_claimed: 'vm_created', url_opened: null },
  vm_created: { ...ENDS, vm_claimed: null, url_opened: 'awaiting_user_auth' },
  awaiting_user_auth: { ...ENDS, vm_claimed: null, url_opened: null },
  completed: FROZEN,
  failed: FROZEN,
  timeout: FROZEN,
  cancelled: FROZEN,
};

/** The status after the event, or null when the event changes nothing. */
export function next(status: Status, event: SessionEvent): Status | null {
  return MACHINE[status][event];
}

/** The statuses in which an event leads to `target`: the guard of the SQL statement that records it. */
export function sources(event: SessionEvent, target: Status): Status[] {
  return STATUSES.filter((status) => MACHINE[status][event] === target);
}

/** The one status an event leads to, wherever it changes anything. */
export function targetOf(event: SessionEvent): Status {
  const targets = new Set(STATUSES.map((status) => MACHINE[status][event]).filter((status) => status !== null));
  const [target] = targets;
  if (target === undefined || targets.size !== 1) throw new Error(`event ${event} has ${targets.size} targets`);
  return target;
}
