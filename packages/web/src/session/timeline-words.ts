/** Who took a step of a session, why, and how long after its start, in plain words: for whoever asks why a sign-in ended as it did. */
import { modeSchema, type SessionEventType, type SessionStep } from '@vestibule/protocol/session';
import { WAY_WORDS } from '../ways/way-words.ts';

type Data = SessionStep['data'];
export type StepTone = 'good' | 'bad' | 'warn' | 'plain';

export const ACTOR_WORDS: Record<SessionStep['actor'], string> = {
  person: 'The person',
  operator: 'The operator',
  controller: 'This server',
  agent: 'The sign-in machine',
  supervisor: 'Seen by this server',
};

const SETTLING_WORDS: Readonly<Record<string, string>> = {
  vm_ended: 'Because the sign-in machine ended',
  vm_start_failed: 'Because the sign-in machine did not start',
  host_lost: 'Because the server that ran the sign-in machine stopped answering',
  deadline_passed: 'Because the time ran out',
  superseded: 'Because a newer sign-in was asked for',
};

const REFUSAL_WORDS: Readonly<Record<string, string>> = {
  session_ended: 'The sign-in had ended before it came',
  already_stored_other: 'Another login of this sign-in was stored before',
  invalid: 'It was not what the program should have written',
  too_large: 'It was too large',
};

const EVIDENCE_WORDS: Readonly<Record<string, string>> = {
  files_complete: 'every file of it was complete',
  cli_exit_zero: 'the program ended with code 0',
  cli_rpc_ok: 'the program says that the sign-in is done',
  cli_confirmed: 'the program says that it is signed in',
  provider_accepted: 'the provider accepted it',
};

const PROBLEM_WORDS: Readonly<Record<string, string>> = {
  blank_field: 'a field is empty',
  unreadable: 'it could not be read',
  too_large: 'it is too large',
  not_a_file: 'it is not a file',
};

const DESTROYED_WORDS: Readonly<Record<string, string>> = {
  grace_over: 'Its time after the end of the sign-in was over',
  had_ended: 'It had ended before',
};

function toText(data: Data, key: string): string | null {
  const value = data[key];
  return typeof value === 'string' && value !== '' ? value : null;
}

function lookUp(words: Readonly<Record<string, string>>, data: Data, key: string): string | null {
  const value = toText(data, key);
  return value === null ? null : (words[value] ?? null);
}

function withDetail(sentence: string | null, detail: string | null): string | null {
  return sentence === null || detail === null ? sentence : `${sentence} (${detail})`;
}

function toExitCause(data: Data): string | null {
  const reason = toText(data, 'reason');
  if (reason === null) return null;
  const when = data['normal'] === true ? 'after the sign-in was over' : 'before the sign-in was over';
  return `It ${reason}, ${when}`;
}

function toStoredCause(data: Data): string | null {
  const evidence = Array.isArray(data['evidence']) ? data['evidence'] : [];
  const shown = evidence.flatMap((one) => (typeof one === 'string' ? (EVIDENCE_WORDS[one] ?? []) : []));
  const version = typeof data['version'] === 'number' ? `Version ${data['version']}` : null;
  if (shown.length === 0) return version;
  return version === null ? `Shown by: ${shown.join(', ')}` : `${version}: ${shown.join(', ')}`;
}

function toModeCause(data: Data): string | null {
  const mode = modeSchema.safeParse(data['to']);
  return mode.success ? `Now: ${WAY_WORDS[mode.data].name.toLowerCase()}` : null;
}

const CAUSES: Partial<Record<SessionEventType, (data: Data) => string | null>> = {
  session_created: (data) => (toText(data, 'supersedes') === null ? null : 'In place of an earlier one'),
  vm_creating: (data) => withDetail(toText(data, 'hostId') && `On ${toText(data, 'hostId')}`, toText(data, 'runtime')),
  url_opened: (data) => (data['from'] === 'output' ? 'Found in the program’s output' : null),
  prompt_shown: (data) => toText(data, 'text'),
  mode_changed: toModeCause,
  cli_exited: (data) => toText(data, 'signal') && `Ended by ${toText(data, 'signal')}`,
  credential_incomplete: (data) => withDetail(toText(data, 'path'), lookUp(PROBLEM_WORDS, data, 'problem')),
  settling: (data) => withDetail(lookUp(SETTLING_WORDS, data, 'code'), toText(data, 'detail')),
  credential_stored: toStoredCause,
  session_failed: (data) => toText(data, 'message'),
  session_timed_out: (data) => toText(data, 'message'),
  session_cancelled: (data) => toText(data, 'message'),
  late_refused: (data) => lookUp(REFUSAL_WORDS, data, 'reason'),
  handover_refused: (data) => lookUp(REFUSAL_WORDS, data, 'reason'),
  vm_exited: toExitCause,
  vm_destroyed: (data) => lookUp(DESTROYED_WORDS, data, 'cause'),
};

/** Why the step was taken, or null when its own words say it all. */
export function toCauseWords(step: SessionStep): string | null {
  return CAUSES[step.type]?.(step.data) ?? null;
}

/** The closed code with which the sign-in ended, for whoever looks it up; null for every other step. */
export function toEndCode(step: SessionStep): string | null {
  const isEnd = ['session_failed', 'session_timed_out', 'session_cancelled'].includes(step.type);
  return isEnd ? toText(step.data, 'code') : null;
}

export function toTone(step: SessionStep): StepTone {
  switch (step.type) {
    case 'credential_stored':
      return 'good';
    case 'session_failed':
    case 'session_timed_out':
      return 'bad';
    case 'late_refused':
    case 'handover_refused':
    case 'credential_incomplete':
      return 'warn';
    case 'vm_exited':
      return step.data['normal'] === true ? 'plain' : 'warn';
    default:
      return 'plain';
  }
}

/** `+0.4 s`, `+12 s`, `+3 min 5 s`: the time since the first step. */
export function toElapsedWords(at: string, start: string): string {
  const ms = Math.max(0, Date.parse(at) - Date.parse(start));
  if (ms < 10_000) return `+${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `+${seconds} s` : `+${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
