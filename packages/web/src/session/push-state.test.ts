import { TERMINAL_STATUSES } from '@vestibule/protocol/session';
import { expect, test } from 'vitest';
import type { PushAction, PushState } from './push-state.ts';
import { NOTHING_YET, missesSteps, reducePushes } from './push-state.ts';
import { toTestSession, toTestStep } from './testing-session.ts';

function reduce(...actions: PushAction[]): PushState {
  return actions.reduce(reducePushes, NOTHING_YET);
}
const created = toTestStep(1, 'session_created');
const creating = toTestStep(2, 'vm_creating');
const first: PushAction = { type: 'pushed', push: { session: toTestSession(), steps: [created] }, atMs: 10 };
const second: PushAction = {
  type: 'pushed',
  push: { session: toTestSession({ seq: 2, status: 'vm_created' }), steps: [creating] },
  atMs: 20,
};

test('pushes add their steps in order and replace the session', () => {
  const state = reduce({ type: 'opened' }, first, second);
  expect(state.session?.status).toBe('vm_created');
  expect(state.steps.map((step) => step.seq)).toEqual([1, 2]);
  expect(state.receivedAtMs).toBe(20);
});

test('steps repeated after a reconnect are shown once', () => {
  const again: PushAction = {
    type: 'pushed',
    push: { session: toTestSession({ seq: 2 }), steps: [created, creating] },
    atMs: 30,
  };
  expect(reduce(first, second, again).steps.map((step) => step.seq)).toEqual([1, 2]);
});

test('an older push does not take the session back', () => {
  expect(reduce(first, second, first).session?.status).toBe('vm_created');
});

test.each(TERMINAL_STATUSES)('a session seen as %s never shows another status', (status) => {
  const ended: PushAction = {
    type: 'pushed',
    push: { session: toTestSession({ seq: 3, status }), steps: [] },
    atMs: 1,
  };
  const other = status === 'completed' ? 'failed' : 'completed';
  const wrong: PushAction = {
    type: 'pushed',
    push: { session: toTestSession({ seq: 9, status: other }), steps: [] },
    atMs: 2,
  };
  expect(reduce(ended, wrong).session?.status).toBe(status);
});

test('a lost connection keeps the last true state and says only that it reconnects', () => {
  const state = reduce(first, second, { type: 'dropped' });
  expect(state.connection).toBe('reconnecting');
  expect(state.session?.status).toBe('vm_created');
});

test('a drop after the end is no news', () => {
  expect(reduce(first, { type: 'ended' }, { type: 'dropped' }).connection).toBe('ended');
});

test('missing steps are noticed by their count and filled from the timeline', () => {
  const late = reduce({ ...second });
  expect(missesSteps(late)).toBe(true);
  const filled = reducePushes(late, { type: 'timeline_read', steps: [created, creating] });
  expect(missesSteps(filled)).toBe(false);
  expect(filled.steps.map((step) => step.seq)).toEqual([1, 2]);
});

test('a refusal ends the subscription and keeps its reason', () => {
  expect(reduce({ type: 'refused', refusal: 'not_found' })).toMatchObject({
    connection: 'ended',
    refusal: 'not_found',
  });
});
