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
import { type Answers, createAnswers, type GivenAnswer } from './answers.ts';
import { createTestSessions, TEST_HOST } from './testing-sessions.ts';

const CANARY = 'canary-answer-7f3b';
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

type Given = { vmId: string; answerId: string; text: string };
/** What agents got, and whether they confirm: as `AgentLink.answer`, after recording the confirmation. */
let given: Given[];
let agent: 'confirms' | 'is silent' | 'is away' | 'breaks off once';
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

function start(hostId: string = TEST_HOST): { answers: Answers; logs: string[] } {
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
      async answer(vmId, { answerId, text }) {
        given.push({ vmId, answerId, text });
        if (agent === 'is silent') return new Promise(() => undefined);
        if (agent === 'breaks off once' && given.length === 1) return false;
        const { rows } = await database.ownerPool.query<{ session_id: string }>(
          'select session_id from auth_sessions where vm_id = $1',
          [vmId],
        );
        return store.markDelivered(rows[0]!.session_id, answerId);
      },
    },
    waitForChange: (_sessionId, timeoutMs) =>
      new Promise((resolve) => void systemClock.after(Math.min(timeoutMs, 20), resolve)),
    clock: systemClock,
    log,
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
    expect(await start().answers.give(sessionId, toLine(CANARY))).toEqual({
      sent: true,
      delivered: false,
      refusedWords: null,
    });
    expect(await rowsOf(sessionId)).toMatchObject([{ sealed_text: null, delivered_at: null }]);
  });

  it('whose agent cannot be reached was not sent, and is not sent later', async () => {
    const { sessionId } = await sessions.awaitPerson();
    agent = 'is away';
    const { answers } = start();
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
