import { expect, test } from 'vitest';
import { toPreparations } from './preparations.ts';
import { toTestSession, toTestStep } from './testing-session.ts';

function states(...args: Parameters<typeof toPreparations>): string[] {
  return toPreparations(...args).map(({ id, state }) => `${id}:${state}`);
}

test('while the program is being installed, its newest progress is told and the rest comes later', () => {
  const session = toTestSession({ stage: 'installing' });
  const steps = [1, 2].map((seq) => toTestStep(seq, 'layer_progress', { message: `Step ${seq} of 2` }));
  expect(toPreparations(session, steps)[0]).toMatchObject({ id: 'install', state: 'now', detail: 'Step 2 of 2' });
  expect(states(session, steps).slice(1)).toEqual([
    'machine:later',
    'network:later',
    'display:later',
    'browser:later',
    'cli:later',
  ]);
});

test('a program that was there already is not mentioned', () => {
  expect(states(toTestSession({ stage: 'starting_vm' }), [])[0]).toBe('machine:now');
});

test('why the sign-in machine does not start yet is told beside it', () => {
  const session = toTestSession({ stage: 'starting_vm', waitingFor: 'Another sign-in uses port 8976.' });
  expect(toPreparations(session, [])[0]).toMatchObject({ id: 'machine', detail: 'Another sign-in uses port 8976.' });
});

test('parts become done one by one, in whatever order they arrive', () => {
  const session = toTestSession({ stage: 'starting_sign_in', capabilities: ['browser', 'network'] });
  expect(states(session, [])).toEqual(['machine:done', 'network:done', 'display:now', 'browser:done', 'cli:now']);
});

test('outside the live view one waits for what the program gives, and is told when it asks something first', () => {
  const session = toTestSession({ mode: 'device_code', stage: 'starting_sign_in', capabilities: ['cli'] });
  expect(states(session, [])).toEqual(['machine:done', 'network:now', 'cli:done', 'offer:now']);
  expect(toPreparations(session, []).at(-1)).toMatchObject({ id: 'offer', state: 'now', detail: null });
  expect(toPreparations({ ...session, prompt: 'Continue? [Y/n]' }, []).at(-1)?.detail).toContain('terminal');
});
