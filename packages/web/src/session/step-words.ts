/** One line in plain words for every step of a session. The record is total: a new event type does not compile without words. */
import type { Capability, SessionEventType, SessionStep } from '@vestibule/protocol/session';
import { capabilitySchema } from '@vestibule/protocol/session';

type Data = SessionStep['data'];

const CAPABILITY_WORDS: Record<Capability, string> = {
  network: 'network',
  display: 'screen',
  browser: 'browser',
  cli: 'program',
};

function toText(data: Data, key: string): string | null {
  const value = data[key];
  return typeof value === 'string' && value !== '' ? value : null;
}

function toNumber(data: Data, key: string): number | null {
  const value = data[key];
  return typeof value === 'number' ? value : null;
}

function toPart(data: Data): string {
  const found = capabilitySchema.safeParse(data['capability']);
  return found.success ? CAPABILITY_WORDS[found.data] : 'part';
}

function withCode(sentence: string, data: Data): string {
  const code = toNumber(data, 'exitCode');
  return code === null ? sentence : `${sentence} (code ${code})`;
}

const WORDS: Record<SessionEventType, (data: Data) => string> = {
  session_created: () => 'Sign-in started',
  layer_progress: (data) => toText(data, 'message') ?? 'The program is being installed on the server',
  layer_failed: (data) => {
    const reason = toText(data, 'message');
    const sentence = 'The program could not be installed on one of the servers';
    return reason === null ? sentence : `${sentence} (${reason})`;
  },
  waiting: (data) => toText(data, 'waitingFor') ?? toText(data, 'detail') ?? 'Waiting is over',
  vm_creating: () => 'The sign-in machine is starting',
  capability_ready: (data) => `The ${toPart(data)} is ready`,
  vm_claimed: () => 'The sign-in machine is running',
  url_opened: (data) => {
    const origin = toText(data, 'origin');
    return origin === null ? 'The sign-in can be done' : `The sign-in can be done: ${origin}`;
  },
  offer_ready: () => 'What you need for signing in is there',
  prompt_shown: () => 'The program asked something',
  terminal_taken: () => 'The keyboard of the program was taken over',
  mode_changed: () => 'The way to sign in was changed',
  cli_exited: (data) => withCode('The program ended', data),
  credential_incomplete: () => 'The program wrote a login that is not complete yet',
  answer_received: () => 'Your answer was received',
  answer_delivered: () => 'Your answer was handed to the program',
  settling: () => 'Checking whether a login is there',
  credential_stored: () => 'The login was stored, encrypted',
  session_failed: () => 'The sign-in failed',
  session_timed_out: () => 'The time for this sign-in ran out',
  session_cancelled: () => 'The sign-in was cancelled',
  late_refused: () => 'A login that came after the end was refused',
  handover_refused: () => 'A login was refused',
  live_view_opened: () => 'The browser was shown in a page',
  live_view_ended: () => 'The browser is no longer shown',
  vm_exited: (data) => {
    const sentence = withCode('The sign-in machine ended', data);
    return data['normal'] === true ? `${sentence}: normal` : sentence;
  },
  vm_lost: () => 'The server that ran the sign-in machine stopped answering',
  vm_destroyed: () => 'The sign-in machine was destroyed',
};

export function toStepWords(step: SessionStep): string {
  return WORDS[step.type](step.data);
}
