/** What a program writes: bounded, never changed, told to its end at any controller. */
import { MAX_OUTPUT_CHARS, MAX_OUTPUT_CHUNK_CHARS } from '@vestibule/protocol/agent-messages';
import type { OutputChunk } from '@vestibule/protocol/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createLogger } from '../telemetry/logger.ts';
import { ChangeSignal } from './change-signal.ts';
import { createOutputStore, type OutputStore } from './output-store.ts';
import { createOutputs } from './outputs.ts';
import { createTestSessions } from './testing-sessions.ts';

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;
let store: OutputStore;
const signal = new ChangeSignal(systemClock);
const { logger: log } = createLogger({ level: 'silent' });

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
  store = createOutputStore({ pool: database.appPool, onChange: (sessionId) => signal.notify(sessionId) });
});
afterAll(() => database.close());

/** `hears`: whether hints reach this controller. */
function start(hears = true) {
  return createOutputs({
    store,
    sessions: sessions.store,
    waitForChange: (sessionId, timeoutMs) =>
      (hears ? signal : new ChangeSignal(systemClock)).wait(sessionId, timeoutMs),
    log,
  });
}

function createOnlooker() {
  const seen: OutputChunk[] = [];
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const listener = { onChunk: (chunk: OutputChunk) => void seen.push(chunk), onEnd: () => end(), onBreak: () => end() };
  return { seen, ended, listener };
}

describe('what a program writes', () => {
  it('is kept in order, the same chunk once, as it came first', async () => {
    const { sessionId } = await sessions.awaitPerson();
    for (const [n, text] of [
      [1, 'one\n'],
      [2, '\u001b[31mtwo'],
      [1, 'one\n'],
      [2, 'other'],
    ] as const)
      await store.add(sessionId, { n, text });
    expect(await start().list(sessionId)).toEqual([
      { n: 1, text: 'one\n' },
      { n: 2, text: '\u001b[31mtwo' },
    ]);
  });

  it('is kept also with a NUL or half a character in it: what the agent says after it must be heard', async () => {
    const { sessionId } = await sessions.awaitPerson();
    expect(await store.add(sessionId, { n: 1, text: 'a\u0000b\ud83d' })).toBe(true);
  });

  it('is kept up to a bound, in large chunks and in small ones (attack: a VM that writes without end)', async () => {
    const large = await sessions.awaitPerson();
    const chunk = 'x'.repeat(MAX_OUTPUT_CHUNK_CHARS);
    for (let n = 1; n <= 20; n += 1) await store.add(large.sessionId, { n, text: chunk });
    expect(await store.list(large.sessionId)).toHaveLength(MAX_OUTPUT_CHARS / MAX_OUTPUT_CHUNK_CHARS);
    const small = await sessions.awaitPerson();
    await database.ownerPool.query(
      `insert into session_outputs (session_id, n, text) select $1, n, 'x' from generate_series(1, 8192) n`,
      [small.sessionId],
    );
    expect(await store.add(small.sessionId, { n: 8193, text: 'x' })).toBe(false);
  });

  it('with a number beyond all is not kept, and does not break the link (attack)', async () => {
    const { sessionId } = await sessions.awaitPerson();
    expect(await store.add(sessionId, { n: Number.MAX_SAFE_INTEGER, text: 'x' })).toBe(false);
  });

  it('after the end of the session is not kept', async () => {
    const id = await sessions.endAs('failed');
    expect(await store.add(id, { n: 1, text: 'late' })).toBe(false);
  });

  it('is followed as it comes, from any chunk on, to its end', async () => {
    const { sessionId } = await sessions.awaitPerson();
    for (let n = 1; n <= 40; n += 1) await store.add(sessionId, { n, text: String(n) });
    const [whole, rest, elsewhere] = [createOnlooker(), createOnlooker(), createOnlooker()];
    await start().follow(sessionId, 0, whole.listener);
    await start().follow(sessionId, 38, rest.listener);
    await start(false).follow(sessionId, 40, elsewhere.listener);
    await expect.poll(() => whole.seen.length).toBe(40);
    await store.add(sessionId, { n: 41, text: 'last' });
    await sessions.endSession(sessionId, 'failed');
    signal.notify(sessionId);
    await Promise.all([whole.ended, rest.ended, elsewhere.ended]);
    expect(whole.seen.map(({ n }) => n)).toEqual(Array.from({ length: 41 }, (_, index) => index + 1));
    expect(rest.seen.map(({ n }) => n)).toEqual([39, 40, 41]);
    expect(elsewhere.seen).toEqual([{ n: 41, text: 'last' }]);
  });

  it('of a session that has ended is told whole, and then that nothing follows', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await store.add(sessionId, { n: 1, text: 'Sign-in failed' });
    await sessions.endSession(sessionId, 'failed');
    const { seen, ended, listener } = createOnlooker();
    await start().follow(sessionId, 0, listener);
    await ended;
    expect(seen).toEqual([{ n: 1, text: 'Sign-in failed' }]);
  });

  it('is told no more to who left', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { seen, listener } = createOnlooker();
    const leave = await start().follow(sessionId, 0, listener);
    leave();
    await store.add(sessionId, { n: 1, text: 'unseen' });
    const other = createOnlooker();
    await start().follow(sessionId, 0, other.listener);
    await expect.poll(() => other.seen).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  it('of a session that is not there cannot be followed', async () => {
    const { listener } = createOnlooker();
    const id = '00000000-0000-4000-8000-000000000000';
    await expect(start().follow(id, 0, listener)).rejects.toMatchObject({ code: 'session_not_found' });
    await expect(start().list(id)).rejects.toMatchObject({ code: 'session_not_found' });
  });
});
