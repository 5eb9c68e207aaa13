import { ACTIVE_STATUSES, CAPABILITIES, SESSION_EVENT_TYPES } from '@vestibule/protocol/session';
import { expect, test } from 'vitest';
import { toTestStep } from './testing-session.ts';
import {
  END_WORDS,
  GRADE_WORDS,
  STAGE_WORDS,
  STATUS_LABELS,
  toClock,
  toMachineWords,
  toRestrictionWords,
} from './session-words.ts';
import { WAY_WORDS } from '../ways/way-words.ts';
import { toStepWords } from './step-words.ts';

const VM = {
  vmId: 'vm_1',
  state: 'draining',
  runtime: 'process',
  exitCode: null,
  exitReason: null,
  destroyAt: null,
  destroyInMs: null,
} as const;

test('every step has words, whatever its data', () => {
  for (const type of SESSION_EVENT_TYPES) {
    for (const data of [{}, { exitCode: null, capability: 'no such part', waitingFor: null, message: 7, origin: '' }]) {
      expect(toStepWords(toTestStep(1, type, data))).toMatch(/^[A-Z].{5,}$/);
    }
  }
});

test('persons read no word of the builders', () => {
  const steps = SESSION_EVENT_TYPES.map((type) => toStepWords(toTestStep(1, type)));
  const ends = Object.values(END_WORDS).flatMap((words) => [words.heading, words.next]);
  const ways = Object.values(WAY_WORDS).flatMap((words) => Object.values(words));
  const all = [
    ...steps,
    ...ends,
    ...ways,
    ...Object.values(GRADE_WORDS),
    ...Object.values(STATUS_LABELS),
    ...Object.values(STAGE_WORDS),
  ].join('\n');
  expect(all).not.toMatch(/\b(VM|lease|custody|agent|capability|controller)\b/i);
});

test('each part of the sign-in machine is named when it is ready', () => {
  const words = CAPABILITIES.map((capability) => toStepWords(toTestStep(1, 'capability_ready', { capability })));
  expect(words).toEqual([
    'The network is ready',
    'The screen is ready',
    'The browser is ready',
    'The program is ready',
  ]);
});

test('the end of the machine with code 1 is called normal after success, and only then', () => {
  expect(toStepWords(toTestStep(1, 'vm_exited', { exitCode: 1, normal: true }))).toBe(
    'The sign-in machine ended (code 1): normal',
  );
  expect(toStepWords(toTestStep(1, 'vm_exited', { exitCode: 1, normal: false }))).not.toContain('normal');
});

test('after success the machine is counted down, then gone, and its exit code is nothing to worry about', () => {
  expect(toMachineWords(VM, 29_100)).toBe('The sign-in machine will be destroyed in 30 seconds.');
  expect(toMachineWords({ ...VM, exitCode: 1 }, 0)).toBe(
    'The sign-in machine ended (code 1): normal. The sign-in machine is being destroyed.',
  );
  const gone = toMachineWords({ ...VM, state: 'gone', exitCode: 1 }, null);
  expect(gone).toBe(
    'The sign-in machine ended (code 1): normal. It has been destroyed, with everything that was in it.',
  );
});

test('a machine on a server that stopped answering is not said to be destroyed', () => {
  expect(toMachineWords({ ...VM, state: 'lost' }, 0)).toBe(
    'The server that ran the sign-in machine stopped answering. It destroys the machine when it is back.',
  );
});

test('no word of what is shown after success says that something failed', () => {
  for (const state of ['ready', 'claimed', 'draining', 'gone', 'lost']) {
    for (const exitCode of [null, 0, 1, 137]) {
      expect(toMachineWords({ ...VM, state, exitCode }, null)).not.toMatch(/fail|error/i);
    }
  }
});

test('active statuses are described as something going on', () => {
  for (const status of ACTIVE_STATUSES) expect(STATUS_LABELS[status]).toMatch(/ing\b/);
});

test('the clock rounds up and never goes below zero', () => {
  expect([600_000, 61_000, 60_001, 1, 0, -5].map(toClock)).toEqual(['10:00', '1:01', '1:01', '0:01', '0:00', '0:00']);
});

test('only the provider’s own acceptance is called that', () => {
  expect(GRADE_WORDS.file_complete).toContain('Nobody has tried it');
  expect(GRADE_WORDS.cli_says_so).toContain('not been tried');
  expect(GRADE_WORDS.provider_accepted).toContain('accepted');
});

test('whom a sign-in must be of is told, and nothing when of anybody', () => {
  expect(toRestrictionWords({})).toBeNull();
  expect(toRestrictionWords({ expectedAccount: 'ada@example.org' })).toBe('Only as ada@example.org');
  expect(toRestrictionWords({ allowedDomains: ['a.org', 'b.org'], organization: 'o1' })).toBe(
    'Only with an account at a.org or b.org, for the organization o1',
  );
});
