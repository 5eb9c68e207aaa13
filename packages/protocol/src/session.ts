/**
 * The words of an auth session: its statuses, the events of its machine, its ways to sign in, and what a client sees of it.
 * Knows no storage and no transport.
 */
import * as z from 'zod';

export const ACTIVE_STATUSES = ['started', 'vm_created', 'awaiting_user_auth'] as const;
export const TERMINAL_STATUSES = ['completed', 'failed', 'timeout', 'cancelled'] as const;
export const STATUSES = [...ACTIVE_STATUSES, ...TERMINAL_STATUSES] as const;
export const statusSchema = z.enum(STATUSES);
export type Status = z.infer<typeof statusSchema>;
export type ActiveStatus = (typeof ACTIVE_STATUSES)[number];
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];

export function isTerminal(status: Status): status is TerminalStatus {
  return (TERMINAL_STATUSES as readonly Status[]).includes(status);
}

/**
 * Ways to sign in: in the live view; in the person's own browser, whose answer comes back; with a code typed on another device; with a key
 * or token that the person has.
 */
export const MODES = ['vm_browser', 'own_browser', 'device_code', 'token'] as const;
export const modeSchema = z.enum(MODES);
export type Mode = z.infer<typeof modeSchema>;

/** What can happen to a session. Each is a past fact; the machine says whether it changes the status. */
export const SESSION_EVENTS = [
  'vm_claimed',
  'url_opened',
  'credential_stored',
  'sign_in_failed',
  'vm_ended',
  'deadline_passed',
  'cancel_requested',
] as const;
export type SessionEvent = (typeof SESSION_EVENTS)[number];

/** Types of rows in `auth_session_events`: changes of status, and what else a person or operator wants to see in order. */
export const SESSION_EVENT_TYPES = [
  'session_created',
  'layer_progress',
  'layer_failed',
  'waiting',
  'vm_creating',
  'capability_ready',
  'vm_claimed',
  'url_opened',
  'offer_ready',
  'prompt_shown',
  'terminal_taken',
  'mode_changed',
  'cli_exited',
  'credential_incomplete',
  'answer_received',
  'answer_delivered',
  'settling',
  'credential_stored',
  'session_failed',
  'session_timed_out',
  'session_cancelled',
  'late_refused',
  'handover_refused',
  'live_view_opened',
  'live_view_ended',
  'vm_exited',
  'vm_lost',
  'vm_destroyed',
] as const;
export const sessionEventTypeSchema = z.enum(SESSION_EVENT_TYPES);
export type SessionEventType = z.infer<typeof sessionEventTypeSchema>;

/** Parts of a browser VM that become ready one by one. */
export const CAPABILITIES = ['network', 'display', 'browser', 'cli'] as const;
export const capabilitySchema = z.enum(CAPABILITIES);
export type Capability = z.infer<typeof capabilitySchema>;

/** Where a session was when it ended; shown with the error. */
export const STAGES = ['installing', 'starting_vm', 'starting_sign_in', 'awaiting_person', 'storing'] as const;
export const stageSchema = z.enum(STAGES);
export type Stage = z.infer<typeof stageSchema>;

/** One step of a session as pushed to pages (`seq` counts up from 1 within the session, without gaps). */
export const sessionStepSchema = z.object({
  seq: z.number().int(),
  at: z.iso.datetime({ offset: true }),
  type: sessionEventTypeSchema,
  actor: z.enum(['person', 'operator', 'controller', 'agent', 'supervisor']),
  data: z.record(z.string(), z.unknown()),
});
export type SessionStep = z.infer<typeof sessionStepSchema>;

/** How well it is known that a stored login works, weakest first. */
export const GRADES = ['file_complete', 'cli_says_so', 'provider_accepted'] as const;
export const gradeSchema = z.enum(GRADES);
export type Grade = z.infer<typeof gradeSchema>;

export const EVIDENCE = [
  'files_complete',
  'cli_exit_zero',
  'cli_rpc_ok',
  'cli_confirmed',
  'provider_accepted',
] as const;
export const evidenceSchema = z.enum(EVIDENCE);
export type Evidence = z.infer<typeof evidenceSchema>;

/** `cli_confirmed` raises nothing: status commands believe junk, so they can only veto. */
export function toGrade(evidence: readonly Evidence[]): Grade {
  if (evidence.includes('provider_accepted')) return 'provider_accepted';
  return evidence.includes('cli_exit_zero') || evidence.includes('cli_rpc_ok') ? 'cli_says_so' : 'file_complete';
}
