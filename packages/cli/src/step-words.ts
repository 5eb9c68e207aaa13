/**
 * One line for every step of a session, and for its end. The records are total: a new type of step does not compile without words.
 * `everybody` reads the steps marked so; whoever tries a definition reads all, with what was seen.
 */
import type { Session } from '@vestibule/protocol/api';
import type { Evidence, Grade, Mode, SessionEventType, SessionStep } from '@vestibule/protocol/session';
import { evidenceSchema, modeSchema } from '@vestibule/protocol/session';

type Data = SessionStep['data'];

function toText(data: Data, key: string): string | null {
  const value = data[key];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** ` (detail)`, or nothing. */
function aside(...parts: (string | null)[]): string {
  const given = parts.filter((part) => part !== null);
  return given.length === 0 ? '' : ` (${given.join(', ')})`;
}

function toCode(data: Data): string | null {
  const { exitCode, signal } = data;
  if (typeof exitCode === 'number') return `code ${exitCode}`;
  return typeof signal === 'string' ? `signal ${signal}` : null;
}

function toMode(data: Data): string {
  const mode = modeSchema.safeParse(data['mode'] ?? data['to']);
  return mode.success ? `: ${MODE_WORDS[mode.data]}` : '';
}

export const MODE_WORDS: Record<Mode, string> = {
  vm_browser: 'in a browser on the server, shown in a page',
  own_browser: 'in your own browser',
  device_code: 'with a code on any device',
  token: 'with a key or token that you have',
};

const EVIDENCE_WORDS: Record<Evidence, string> = {
  files_complete: 'every file of it is complete',
  cli_exit_zero: 'the program ended with code 0',
  cli_rpc_ok: 'the program answered that it is signed in',
  cli_confirmed: 'the program says so when asked',
  provider_accepted: 'the provider accepted a first use',
};

export const GRADE_WORDS: Record<Grade, string> = {
  file_complete: 'the files are complete',
  cli_says_so: 'the program says so',
  provider_accepted: 'the provider accepted it',
};

function toEvidence(data: Data): string | null {
  const list = evidenceSchema.array().safeParse(data['evidence']);
  return list.success && list.data.length > 0 ? list.data.map((item) => EVIDENCE_WORDS[item]).join(', ') : null;
}

const PROBLEM_WORDS: Readonly<Record<string, string>> = {
  blank_field: 'a required field is empty',
  unreadable: 'it cannot be read in its format',
  too_large: 'it is too large',
  not_a_file: 'it is no file',
};

const CAPABILITY_WORDS: Readonly<Record<string, string>> = {
  network: 'network',
  display: 'screen',
  browser: 'browser',
  cli: 'program',
};

const SOURCE_WORDS: Readonly<Record<string, string>> = {
  browser_shim: 'the program opened it in a browser',
  output: "found in the program's output",
};

type Words = { everybody: boolean; words: (data: Data) => string };
const all = (words: Words['words']): Words => ({ everybody: true, words });
const detail = (words: Words['words']): Words => ({ everybody: false, words });

const STEPS: Record<SessionEventType, Words> = {
  session_created: detail(() => 'The sign-in was created'),
  layer_progress: all((data) => toText(data, 'message') ?? 'The program is being installed on the server'),
  layer_failed: all((data) => `The program could not be installed${aside(toText(data, 'message'))}`),
  waiting: all((data) => toText(data, 'waitingFor') ?? toText(data, 'detail') ?? 'Waiting is over'),
  vm_creating: all(() => 'Starting the sign-in machine'),
  capability_ready: detail((data) => {
    const name = CAPABILITY_WORDS[String(data['capability'])] ?? 'part';
    const { afterMs } = data;
    return `The ${name} is ready${aside(typeof afterMs === 'number' ? `after ${afterMs} ms` : null)}`;
  }),
  vm_claimed: detail(() => 'The sign-in machine runs and was told how to sign in; the program starts'),
  url_opened: detail((data) => {
    const origin = toText(data, 'origin');
    if (origin === null) return 'The sign-in can be done';
    return `A link that matches was found: ${origin}${aside(SOURCE_WORDS[String(data['from'])] ?? null)}`;
  }),
  offer_ready: detail((data) => `There is something to sign in with${toMode(data)}`),
  prompt_shown: detail(() => 'The program asks something that its dialogue does not know'),
  terminal_taken: all(() => 'Somebody took over the terminal in the page'),
  mode_changed: all((data) => `The way to sign in was changed${toMode(data)}`),
  cli_exited: detail((data) => `The program ended${aside(toCode(data))}`),
  credential_incomplete: detail((data) => {
    const problem = PROBLEM_WORDS[String(data['problem'])] ?? null;
    return `A login file is not complete: ${toText(data, 'path') ?? '?'}${aside(problem, toText(data, 'detail'))}`;
  }),
  answer_received: detail(() => 'An answer was received'),
  answer_delivered: all(() => 'Your answer was handed to the program'),
  settling: all(() => 'Looking whether a login is there'),
  credential_stored: detail((data) => `The login was stored, encrypted${aside(toEvidence(data))}`),
  session_failed: detail(() => 'The sign-in failed'),
  session_timed_out: detail(() => 'The time ran out'),
  session_cancelled: detail(() => 'The sign-in was cancelled'),
  late_refused: all(() => 'A login that came after the end was refused'),
  handover_refused: all((data) => `The login was refused${aside(toText(data, 'reason'))}`),
  live_view_opened: detail(() => 'The browser is shown in a page'),
  live_view_ended: detail(() => 'The browser is no longer shown'),
  vm_exited: detail((data) => {
    const normal = data['normal'] === true ? 'normal after the end' : null;
    return `The sign-in machine ended${aside(toCode(data), normal)}`;
  }),
  vm_lost: all(() => 'The server that ran the sign-in machine stopped answering'),
  vm_destroyed: detail(() => 'The sign-in machine was destroyed'),
};

/** Null when it is a detail, and details are not wanted. */
export function toStepWords(step: SessionStep, withDetails: boolean): string | null {
  const { everybody, words } = STEPS[step.type];
  return everybody || withDetails ? words(step.data) : null;
}

/** Of a completed session: whose login is stored now, and how well it is known to work. */
export function toConnectedWords(session: Session, providerName: string): string {
  const account = session.account === null ? '' : ` as ${session.account}`;
  const grade = session.grade === null ? null : GRADE_WORDS[session.grade];
  const version = session.credentialVersion === null ? null : `version ${session.credentialVersion}`;
  return `${providerName}${account}${aside(session.accountPlan)}. Stored for ${session.userId}${aside(version, grade)}.`;
}

/** How the session ended, in a sentence. */
export function toEndWords(session: Session, providerName: string): string {
  if (session.status === 'completed') return `Connected: ${toConnectedWords(session, providerName)}`;
  return session.errorMessage ?? `The sign-in ended as ${session.status}. Nothing was stored.`;
}

/** `9:05`, rounded up. */
export function toClock(remainingMs: number): string {
  const seconds = Math.ceil(Math.max(0, remainingMs) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
