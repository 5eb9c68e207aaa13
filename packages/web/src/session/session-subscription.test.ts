import type { Client, PushListener } from '@vestibule/protocol/client';
import { AppError } from '@vestibule/protocol/errors';
import { expect, test } from 'vitest';
import type { PushAction } from './push-state.ts';
import { toTestSession } from './testing-session.ts';
import { subscribeSession } from './session-subscription.ts';

/** A subscription whose streams, dispatched actions and postponed openings the test holds in its hands. */
function start(getSession: Client['getSession']) {
  const streams: PushListener[] = [];
  const actions: PushAction[] = [];
  const postponed: { run: () => void; delayMs: number }[] = [];
  const asked: string[] = [];
  const client: Pick<Client, 'subscribe' | 'getSession'> = {
    subscribe: (_id, listener) => {
      streams.push(listener);
      return () => undefined;
    },
    getSession: (id) => {
      asked.push(id);
      return getSession(id);
    },
  };
  const stop = subscribeSession(
    client,
    'id',
    (action) => actions.push(action),
    (run, delayMs) => {
      postponed.push({ run, delayMs });
      return () => postponed.pop();
    },
  );
  return { streams, actions, postponed, asked, stop };
}

const alive: Client['getSession'] = () => Promise.resolve(toTestSession());
function refusing(code: ConstructorParameters<typeof AppError>[0]): Client['getSession'] {
  return () => Promise.reject(new AppError(code));
}
/** Lets the answer of `getSession`, which is there already, be taken. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a stream that resumes by itself is left alone', async () => {
  const { streams, actions, postponed, asked } = start(alive);
  streams[0]?.onDrop(true);
  await settle();
  expect(actions).toEqual([{ type: 'dropped' }]);
  expect([asked, postponed]).toEqual([[], []]);
});

test('a stream that gave up is opened again, later each time while the server is away', async () => {
  const { streams, postponed } = start(refusing('not_ready'));
  for (let attempt = 0; attempt < 7; attempt += 1) {
    streams[attempt]?.onDrop(false);
    await settle();
    postponed[attempt]?.run();
  }
  expect(streams).toHaveLength(8);
  expect(postponed.map(({ delayMs }) => delayMs)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
});

test('a push after a reconnect makes the next attempt an early one again', async () => {
  const { streams, postponed } = start(alive);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    streams[attempt]?.onDrop(false);
    await settle();
    postponed[attempt]?.run();
  }
  streams[2]?.onPush({ session: toTestSession(), steps: [] });
  streams[2]?.onDrop(false);
  await settle();
  expect(postponed.map(({ delayMs }) => delayMs)).toEqual([500, 1_000, 500]);
});

test.each([
  ['session_not_found', 'not_found'],
  ['unauthenticated', 'signed_out'],
] as const)('%s ends the subscription as %s', async (code, refusal) => {
  const { streams, actions, postponed } = start(refusing(code));
  streams[0]?.onDrop(false);
  await settle();
  expect(actions.at(-1)).toEqual({ type: 'refused', refusal });
  expect(postponed).toEqual([]);
});

test('nothing is opened or told after the page has left', async () => {
  const { streams, actions, postponed, stop } = start(alive);
  streams[0]?.onDrop(false);
  stop();
  await settle();
  expect(actions).toEqual([{ type: 'dropped' }]);
  expect(postponed).toEqual([]);
});
