import { SESSION_EVENT_TYPES, type SessionStep } from '@vestibule/protocol/session';
import { expect, test } from 'vitest';
import { toTestStep } from './testing-session.ts';
import { ACTOR_WORDS, toCauseWords, toElapsedWords, toEndCode, toTone } from './timeline-words.ts';

const cause = (type: SessionStep['type'], data: SessionStep['data'] = {}): string | null =>
  toCauseWords(toTestStep(1, type, data));

test('a step whose cause is not known says none, whatever its data', () => {
  const odd = { reason: 7, code: 'no_such', detail: '', evidence: 'x', version: 'one', cause: null, problem: [] };
  for (const type of SESSION_EVENT_TYPES) expect([null, 'Found in the program’s output']).toContain(cause(type, odd));
});

test('why settling began is told apart: the machine, its server, the time, a newer sign-in', () => {
  expect(cause('settling', { code: 'vm_ended', detail: 'exited with code 9' })).toBe(
    'Because the sign-in machine ended (exited with code 9)',
  );
  const words = ['vm_start_failed', 'host_lost', 'deadline_passed', 'superseded'].map((code) =>
    cause('settling', { code }),
  );
  expect(words).toEqual([
    'Because the sign-in machine did not start',
    'Because the server that ran the sign-in machine stopped answering',
    'Because the time ran out',
    'Because a newer sign-in was asked for',
  ]);
});

test('the end of the machine is told with when it was, and only before the end of the sign-in does it warn', () => {
  const reason = 'exited with code 1';
  expect(cause('vm_exited', { reason, normal: true })).toBe('It exited with code 1, after the sign-in was over');
  expect(cause('vm_exited', { reason, normal: false })).toBe('It exited with code 1, before the sign-in was over');
  expect(toTone(toTestStep(1, 'vm_exited', { normal: true }))).toBe('plain');
  expect(toTone(toTestStep(1, 'vm_exited', { normal: false }))).toBe('warn');
});

test('why a login was refused is told', () => {
  expect(cause('late_refused', { reason: 'session_ended' })).toBe('The sign-in had ended before it came');
  expect(cause('late_refused', { reason: 'already_stored_other' })).toMatch(/^Another login/);
  expect(cause('handover_refused', { reason: 'invalid' })).toMatch(/not what the program/);
  expect(cause('handover_refused', { reason: 'too_large' })).toBe('It was too large');
});

test('what was stored is told with its version and evidence', () => {
  const data = { version: 2, evidence: ['files_complete', 'cli_exit_zero', 'cli_confirmed'] };
  expect(cause('credential_stored', data)).toBe(
    'Version 2: every file of it was complete, the program ended with code 0, the program says that it is signed in',
  );
});

test('an end is told in the words the person read, with its code', () => {
  for (const type of ['session_failed', 'session_timed_out', 'session_cancelled'] as const) {
    expect(cause(type, { message: 'It did not go on.', code: 'vm_ended' })).toBe('It did not go on.');
    expect(toEndCode(toTestStep(1, type, { code: 'vm_ended' }))).toBe('vm_ended');
  }
  expect(toEndCode(toTestStep(1, 'settling', { code: 'vm_ended' }))).toBeNull();
});

test('why the machine was destroyed is told', () => {
  expect(cause('vm_destroyed', { cause: 'grace_over' })).toMatch(/time after the end of the sign-in was over/);
  expect(cause('vm_destroyed', { cause: 'had_ended' })).toBe('It had ended before');
});

test('persons read no word of the builders', () => {
  const causes = SESSION_EVENT_TYPES.flatMap((type) =>
    ['vm_ended', 'host_lost', 'session_ended', 'grace_over'].map((word) =>
      cause(type, { code: word, reason: word, cause: word }),
    ),
  );
  expect([...Object.values(ACTOR_WORDS), ...causes].join('\n')).not.toMatch(/\b(VM|lease|agent|controller)\b/i);
});

test('the time since the start is short to read', () => {
  const start = '2026-11-23T12:00:00.000Z';
  const words = ['00:00.000', '00:00.420', '00:12.400', '03:05.000'].map((time) =>
    toElapsedWords(`2026-11-23T12:${time}Z`, start),
  );
  expect(words).toEqual(['+0.0 s', '+0.4 s', '+12 s', '+3 min 5 s']);
});

test('to which way one changed is told, and what the program asked', () => {
  expect(cause('mode_changed', { from: 'vm_browser', to: 'own_browser', way: 2 })).toBe('Now: in your own browser');
  expect(cause('prompt_shown', { text: 'Continue? [Y/n]' })).toBe('Continue? [Y/n]');
});
