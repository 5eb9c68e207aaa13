/** A person's answer on its way: sealed, through whichever controller, once, and gone afterwards. */
import { randomBytes } from 'node:crypto';
import { Secret } from '@vestibule/protocol/secret';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createTestDatabase, type TestDatabase } from '../db/testing.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createLocalKey } from '../vault/local-key.ts';
import { createVault } from '../vault/vault.ts';
import { createAnswerStore } from './answer-store.ts';
import { type Answers, createAnswers, type DeliveredAnswer, type GivenAnswer } from './answers.ts';
import { createTestSessions, TEST_HOST } from './testing-sessions.ts';

const CANARY = 'canary-answer-7f3b';
/** Enough for a statement or two, for answers that nobody delivers. */
const SHORT_MS = 1_000;
const toLine = (text: string): GivenAnswer => ({ kind: 'line', tokenKind: null, text });

let database: TestDatabase;
let sessions: Awaited<ReturnType<typeof createTestSessions>>;
const wrapper = createLocalKey(new Secret(randomBytes(32)));
const vault = createVault({ wrapper, keyStore: { register: () => Promise.resolve() } });

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = await createTestSessions(database);
  await database.ownerPool.query(`insert into vault_keys (key_id, state) values ($1, 'active')`, [wrapper.keyId]);
});
afterAll(() => database.close());

type Given = { vmId: string } & DeliveredAnswer;
/** What agents got, and whether they confirm: as `AgentLink.answer`, after recording the confirmation. */
let given: Given[];
let agent: 'refuses' | 'confirms' | 'is silent' | 'is away' | 'breaks off once';
let open: Answers[];
let toldWay: number;
beforeEach(() => {
  given = [];
  agent = 'confirms';
  toldWay = 1;
  open = [];
});
afterEach(async () => {
  for (const answers of open) await answers.close();
});

function start(hostId: string = TEST_HOST, ttlMs = 5_000): { answers: Answers; logs: string[] } {
  const logs: string[] = [];
  const { logger: log } = createLogger({
    level: 'trace',
    readable: false,
    destination: { write: (line) => void logs.push(line) },
  });
  const store = createAnswerStore({ pool: database.appPool, onChange: () => undefined });
  const answers = createAnswers({
    store,
    hostId,
    seal: (owner, text) => vault.sealAnswer(owner, text),
    open: (record) => vault.openAnswer(record),
    links: {
      fact: () => ({ state: agent === 'is away' ? 'dialling' : 'connected', toldWay }),
      async answer(vmId, answer) {
        const { answerId } = answer;
        given.push({ vmId, ...answer });
        if (agent === 'is silent') return new Promise(() => undefined);
        if (agent === 'breaks off once' && given.length === 1) return false;
        const { rows } = await database.ownerPool.query<{ session_id: string }>(
          'select session_id from auth_sessions where vm_id = $1',
          [vmId],
        );
        const { session_id: sessionId } = rows[0]!;
        if (agent !== 'refuses' || given.length > 1) return store.markDelivered(sessionId, answerId);
        return store.markRefused(sessionId, answerId, 'Used already.').then(() => false);
      },
    },
    waitForChange: (_sessionId, timeoutMs) =>
      new Promise((resolve) => void systemClock.after(Math.min(timeoutMs, 20), resolve)),
    clock: systemClock,
    log,
    ttlMs,
  });
  open.push(answers);
  return { answers, logs };
}

type Row = { sealed_text: Buffer | null; sent_at: Date | null; delivered_at: Date | null };
async function rowsOf(sessionId: string): Promise<Row[]> {
  const select = 'select * from session_answers where session_id = $1';
  return (await database.ownerPool.query<Row>(select, [sessionId])).rows;
}
const typesOf = async (sessionId: string): Promise<string[]> =>
  (await sessions.store.listSteps(sessionId, 0)).map((step) => step.type);

describe('an answer', () => {
  it('given to a controller without the VM is delivered by the one that holds the link, once', async () => {
    const { sessionId, vmId } = await sessions.awaitPerson();
    const other = start('host_other');
    const owners = [start(), start()];
    expect(await other.answers.give(sessionId, toLine(CANARY))).toMatchObject({ sent: true, delivered: true });
    for (const { answers } of owners) answers.deliver();
    expect(new Set(given.map(({ answerId }) => answerId)).size).toBe(1);
    expect(given[0]).toMatchObject({ vmId, text: CANARY });
    expect((await typesOf(sessionId)).filter((type) => type.startsWith('answer'))).toEqual([
      'answer_received',
      'answer_delivered',
    ]);
  });

  it('is erased at delivery, and neither its row, an event nor a log line ever holds it (I7)', async () => {
    const { sessionId } = await sessions.awaitPerson();
    agent = 'is silent';
    const { answers, logs } = start();
    const giving = answers.give(sessionId, toLine(CANARY));
    await expect.poll(() => given.length).toBe(1);
    const [waiting] = await rowsOf(sessionId);
    expect(waiting?.sealed_text?.includes(CANARY)).toBe(false);
    await createAnswerStore({ pool: database.appPool, onChange: () => undefined }).markDelivered(
      sessionId,
      given[0]!.answerId,
    );
    expect(await giving).toMatchObject({ delivered: true });
    expect(await rowsOf(sessionId)).toMatchObject([{ sealed_text: null }]);
    const steps = JSON.stringify(await sessions.store.listSteps(sessionId, 0));
    for (const place of [steps, logs.join('')]) expect(place).not.toContain(CANARY);
  });

  it('that was sent and not confirmed says so, and is erased', async () => {
    const { sessionId } = await sessions.awaitPerson();
    agent = 'is silent';
    expect(await start(TEST_HOST, SHORT_MS).answers.give(sessionId, toLine(CANARY))).toEqual({
      sent: true,
      delivered: false,
      refusedWords: null,
    });
    expect(await rowsOf(sessionId)).toMatchObject([{ sealed_text: null, delivered_at: null }]);
  });

  it('whose agent cannot be reached was not sent, and is not sent later', async () => {
    const { sessionId } = await sessions.awaitPerson();
    agent = 'is away';
    const { answers } = start(TEST_HOST, SHORT_MS);
    expect(await answers.give(sessionId, toLine(CANARY))).toEqual({
      sent: false,
      delivered: false,
      refusedWords: null,
    });
    agent = 'confirms';
    answers.deliver();
    const next = await sessions.awaitPerson();
    await answers.give(next.sessionId, toLine('another'));
    expect(given.map(({ text }) => text)).toEqual(['another']);
  });

  it('whose delivery broke off is sent again under the same id, so that the agent takes it once', async () => {
    const { sessionId } = await sessions.awaitPerson();
    agent = 'breaks off once';
    expect(await start().answers.give(sessionId, toLine(CANARY))).toMatchObject({ delivered: true });
    expect(given.map(({ text }) => text)).toEqual([CANARY, CANARY]);
    expect(new Set(given.map(({ answerId }) => answerId)).size).toBe(1);
  });

  it('left by a controller that died is erased by any other', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const answerId = '11111111-2222-4333-8444-555555555555';
    const sealed = await vault.sealAnswer({ answerId, sessionId }, CANARY);
    const store = createAnswerStore({ pool: database.appPool, onChange: () => undefined });
    await store.record(sessionId, { answerId, kind: 'line', tokenKind: null, ...sealed }, 0);
    start('host_other');
    await expect.poll(() => rowsOf(sessionId)).toMatchObject([{ sealed_text: null, sent_at: null }]);
    expect(await store.markSent(answerId)).toBe(false);
  });

  it('to a session that has ended or has no VM is refused', async () => {
    const { answers } = start();
    for (const sessionId of [await sessions.endAs('cancelled'), await sessions.begin()])
      await expect(answers.give(sessionId, toLine(CANARY))).rejects.toMatchObject({ code: 'session_not_waiting' });
  });

  it('is given with its kind, a token with the kind of token', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { answers } = start();
    await answers.give(sessionId, { kind: 'callback', tokenKind: null, text: 'http://127.0.0.1:1455/cb?code=a' });
    await answers.give(sessionId, { kind: 'token', tokenKind: 'api_key', text: CANARY });
    expect(given).toMatchObject([{ kind: 'callback' }, { kind: 'token', tokenKind: 'api_key', text: CANARY }]);
    expect(given[0]).not.toHaveProperty('tokenKind');
  });

  it('that the agent refuses says why, is erased, and is neither given again nor called delivered', async () => {
    const { sessionId } = await sessions.awaitPerson();
    agent = 'refuses';
    const { answers } = start();
    expect(await answers.give(sessionId, toLine(CANARY))).toMatchObject({
      delivered: false,
      refusedWords: 'Used already.',
    });
    expect(await rowsOf(sessionId)).toMatchObject([{ sealed_text: null, delivered_at: null }]);
    const store = createAnswerStore({ pool: database.appPool, onChange: () => undefined });
    expect(await store.markDelivered(sessionId, given[0]!.answerId)).toBe(false);
    expect(await store.markRefused(sessionId, given[0]!.answerId, 'Other words.')).toBe(false);
    answers.deliver();
    await answers.give(sessionId, toLine('another'));
    expect(given.map(({ text }) => text)).toEqual([CANARY, 'another']);
  });

  it('of another session cannot be marked refused or delivered by this one’s agent (attack)', async () => {
    const mine = await sessions.awaitPerson();
    const { sessionId } = await sessions.awaitPerson();
    agent = 'is silent';
    const giving = start(TEST_HOST, SHORT_MS).answers.give(sessionId, toLine(CANARY));
    await expect.poll(() => given.length).toBe(1);
    const store = createAnswerStore({ pool: database.appPool, onChange: () => undefined });
    expect(await store.markRefused(mine.sessionId, given[0]!.answerId, 'no')).toBe(false);
    expect(await store.markDelivered(mine.sessionId, given[0]!.answerId)).toBe(false);
    expect(await giving).toEqual({ sent: true, delivered: false, refusedWords: null });
  });

  it('takes away what the program asked', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await sessions.store.showPrompt(sessionId, 'Continue?');
    await start().answers.give(sessionId, toLine('y'));
    expect((await sessions.store.find(sessionId))?.prompt).toBeNull();
  });

  it('to the program of one way is never given to that of the next', async () => {
    const { sessionId } = await sessions.awaitPerson();
    agent = 'is away';
    const giving = start(TEST_HOST, SHORT_MS).answers.give(sessionId, toLine(CANARY));
    await expect.poll(() => rowsOf(sessionId)).toHaveLength(1);
    await sessions.store.changeMode(sessionId, 'device_code');
    [agent, toldWay] = ['confirms', 2];
    expect(await giving).toMatchObject({ sent: false, delivered: false });
    expect(given).toEqual([]);
  });

  it('waits until the agent was told of the way that it belongs to', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await sessions.store.changeMode(sessionId, 'device_code');
    const giving = start().answers.give(sessionId, toLine(CANARY));
    await expect.poll(() => rowsOf(sessionId)).toHaveLength(1);
    expect(given).toEqual([]);
    toldWay = 2;
    expect(await giving).toMatchObject({ delivered: true });
  });

  it('is delivered in the order of asking', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { answers } = start();
    for (const text of ['one', 'two', 'three']) await answers.give(sessionId, toLine(text));
    expect(given.map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  });

  it('opens under no other session or id', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const answerId = '11111111-2222-4333-8444-555555555556';
    const sealed = await vault.sealAnswer({ answerId, sessionId }, CANARY);
    expect(await vault.openAnswer({ answerId, sessionId, ...sealed })).toBe(CANARY);
    const other = (await sessions.awaitPerson()).sessionId;
    await expect(vault.openAnswer({ answerId, sessionId: other, ...sealed })).rejects.toThrow('cannot be opened');
  });
});

describe('keys typed in the terminal', () => {
  const keys = (text: string): GivenAnswer => ({ kind: 'keys', tokenKind: null, text });

  it('are given in their order, as they are, and told once, without what they are (I7)', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { answers } = start();
    for (const text of ['c', 'a', '\u007f', '\r'])
      expect(await answers.give(sessionId, keys(text))).toMatchObject({ delivered: true });
    expect(given.map(({ text }) => text)).toEqual(['c', 'a', '\u007f', '\r']);
    const types = (await typesOf(sessionId)).filter((type) => /answer|terminal/.test(type));
    expect(types).toEqual(['terminal_taken']);
  });

  it('that answer what the program asked take it away, and pages are told', async () => {
    const { sessionId } = await sessions.awaitPerson();
    const { answers } = start();
    await answers.give(sessionId, keys('x'));
    await sessions.store.showPrompt(sessionId, 'Continue?');
    const before = (await sessions.store.find(sessionId))!.seq;
    await answers.give(sessionId, keys('y'));
    expect(await sessions.store.find(sessionId)).toMatchObject({ prompt: null, seq: before + 1 });
    await answers.give(sessionId, keys('\r'));
    expect((await sessions.store.find(sessionId))?.seq).toBe(before + 1);
  });

  it('are refused when too many wait, and taken again when those are gone (attack: a flood of keys)', async () => {
    const { sessionId } = await sessions.awaitPerson();
    agent = 'is away';
    const { answers } = start(TEST_HOST, SHORT_MS);
    const all = await Promise.allSettled(Array.from({ length: 60 }, () => answers.give(sessionId, keys('x'))));
    const refused = all.filter(({ status }) => status === 'rejected');
    // Those that ask at the same moment do not see each other.
    expect(refused.length).toBeGreaterThan(10);
    expect(refused[0]).toMatchObject({ reason: { code: 'rate_limited' } });
    agent = 'confirms';
    expect(await answers.give(sessionId, keys('y'))).toMatchObject({ delivered: true });
  });

  it('are bounded for a session altogether, and lines still reach the program', async () => {
    const { sessionId } = await sessions.awaitPerson();
    await database.ownerPool.query(
      `insert into session_answers (answer_id, session_id, sealed_text, erased_at, key_id, expires_at, kind)
       select gen_random_uuid(), $1, null, now(), $2, now(), 'keys' from generate_series(1, 5000)`,
      [sessionId, wrapper.keyId],
    );
    const { answers } = start();
    await expect(answers.give(sessionId, keys('x'))).rejects.toMatchObject({ code: 'rate_limited' });
    expect(await answers.give(sessionId, toLine('quit'))).toMatchObject({ delivered: true });
  });

  it('to a session that has ended or has no VM are refused (attack)', async () => {
    const { answers } = start();
    for (const sessionId of [await sessions.endAs('completed'), await sessions.begin()])
      await expect(answers.give(sessionId, keys('x'))).rejects.toMatchObject({ code: 'session_not_waiting' });
  });
});
