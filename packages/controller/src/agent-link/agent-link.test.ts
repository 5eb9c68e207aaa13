import type { AgentMessage } from '@vestibule/protocol/agent-messages';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import type { AgentReports } from '../session/agent-reports.ts';
import { createLogger } from '../telemetry/logger.ts';
import { toTestLoginPlan } from '../session/testing-login-plan.ts';
import { AgentLink } from './agent-link.ts';
import { createTestLink, createTestReports, HELLO, SESSION_ID, type TestAgent } from './testing-agent.ts';

const HANDOVER = {
  type: 'handover',
  handoverId: '00000000-0000-4000-8000-0000000000aa',
  contentHash: 'a'.repeat(64),
  files: [{ path: '.demo', contentBase64: 'e30=' }],
  account: null,
  expiresAt: null,
  evidence: ['files_complete'],
} as const satisfies Extract<AgentMessage, { type: 'handover' }>;

function start(change: Partial<Pick<AgentReports, 'greet' | 'report'>> = {}): {
  link: AgentLink;
  agent: TestAgent;
  reports: ReturnType<typeof createTestReports>;
  ended: Promise<void>;
  facts: () => number;
} {
  const { stream, agent } = createTestLink();
  const reports = createTestReports(change);
  let count = 0;
  const { logger: log } = createLogger({ level: 'silent' });
  const link = new AgentLink({
    vmId: 'vm_a_1',
    stream,
    reports,
    clock: systemClock,
    log,
    onFact: () => void (count += 1),
  });
  return { link, agent, reports, ended: link.run(), facts: () => count };
}

describe('an agent link', () => {
  it('answers the hello with the claim, and is connected from then on', async () => {
    const { link, agent, facts } = start();
    expect(link.connected).toBe(false);
    agent.say(HELLO);
    expect(await agent.hears('claim')).toMatchObject({ sessionId: SESSION_ID, epoch: 1 });
    expect(link.connected).toBe(true);
    expect(facts()).toBe(1);
  });

  it('acts on messages one after the other, in the order sent, and to the last one before it ends', async () => {
    const seen: string[] = [];
    const { agent, ended } = start({
      async report(_vmId, _sessionId, message) {
        seen.push(`begin ${message.type}`);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`end ${message.type}`);
        return null;
      },
    });
    agent.say(HELLO, { type: 'cli_exited', exitCode: 0, signal: null }, HANDOVER);
    agent.stream.end();
    await ended;
    expect(seen).toEqual(['begin cli_exited', 'end cli_exited', 'begin handover', 'end handover']);
  });

  it.each<[string, string]>([
    ['a line that is no JSON', 'garbage\n'],
    ['a message of an unknown type', '{"type":"complete_my_session"}\n'],
    ['a report before its hello', `${JSON.stringify(HANDOVER)}\n`],
    ['a hand-over with a hash that is none', `${JSON.stringify({ ...HANDOVER, contentHash: 'x' })}\n`],
  ])('ends at %s and reports nothing of it', async (_what, text) => {
    const { agent, ended, reports } = start();
    agent.stream.write(text);
    await ended;
    expect(reports.reported).toEqual([]);
  });

  it('ends without a claim when the hello is not accepted', async () => {
    const { agent, ended, link } = start({ greet: () => Promise.resolve(null) });
    agent.say(HELLO);
    await ended;
    expect(link.connected).toBe(false);
    expect(agent.received).toEqual([]);
  });

  it('ends when a report cannot be recorded, so that the agent says it again', async () => {
    const { agent, ended } = start({ report: () => Promise.reject(new Error('database down')) });
    agent.say(HELLO, { type: 'cli_exited', exitCode: 0, signal: null });
    await ended;
    expect(agent.received.map(({ type }) => type)).toEqual(['claim']);
  });

  it('holds a hand-over that cannot be recorded until it can, also when its VM has ended meanwhile', async () => {
    let isDown = true;
    let ends = 0;
    const stored: string[] = [];
    const { agent, ended, link } = start({
      report(_vmId, _sessionId, message) {
        if (isDown) return Promise.reject(new Error('database down'));
        stored.push(message.type);
        return Promise.resolve(null);
      },
    });
    void ended.then(() => (ends += 1));
    agent.say(HELLO, HANDOVER);
    agent.stream.end();
    await expect.poll(() => link.storeError).not.toBeNull();
    expect(ends).toBe(0);
    isDown = false;
    await ended;
    expect({ stored, storeError: link.storeError }).toEqual({ stored: ['handover'], storeError: null });
  });

  it('gives a hand-over up when it is closed', async () => {
    const { agent, ended, link } = start({ report: () => Promise.reject(new Error('database down')) });
    agent.say(HELLO, HANDOVER);
    await expect.poll(() => link.storeError).not.toBeNull();
    link.close();
    await ended;
    expect(agent.received.map(({ type }) => type)).toEqual(['claim']);
  });

  it('sends the answer to a hand-over only after it was recorded', async () => {
    let commit = (): void => undefined;
    const committed = new Promise<void>((resolve) => (commit = resolve));
    const { agent } = start({
      async report() {
        await committed;
        return { type: 'handover_answer', handoverId: HANDOVER.handoverId, result: 'stored' };
      },
    });
    agent.say(HELLO, HANDOVER);
    await agent.hears('claim');
    expect(agent.received.map(({ type }) => type)).toEqual(['claim']);
    commit();
    expect(await agent.hears('handover_answer')).toMatchObject({ result: 'stored' });
  });

  it('is settled by the answer to its own question, not by another', async () => {
    const { agent, link } = start();
    agent.say(HELLO);
    await agent.hears('claim');
    link.settle();
    const { settleId } = await agent.hears('settle');
    agent.say({ type: 'settled', settleId: 'settle-of-another-link', holding: false });
    agent.say({ type: 'answer_delivered', answerId: 'marker' });
    link.settle();
    expect(link.settled).toBe(false);
    agent.say({ type: 'settled', settleId, holding: true });
    await expect.poll(() => link.settled).toBe(true);
    expect(agent.received.filter(({ type }) => type === 'settle')).toHaveLength(1);
  });

  it('is settled only when what the agent said after its answer was acted on, too', async () => {
    let goOn = (): void => undefined;
    const slow = new Promise<void>((resolve) => (goOn = resolve));
    const reported: string[] = [];
    const { agent, link } = start({
      async report(_vmId, _sessionId, message) {
        await slow;
        expect(link.settled).toBe(false);
        reported.push(message.type);
        return null;
      },
    });
    agent.say(HELLO);
    await agent.hears('claim');
    agent.say({ type: 'url_opened', from: 'output', origin: 'https://sign-in.example.test' });
    link.settle();
    agent.say({ type: 'settled', settleId: (await agent.hears('settle')).settleId, holding: false }, HANDOVER);
    await new Promise((resolve) => setImmediate(resolve));
    goOn();
    await expect.poll(() => link.settled).toBe(true);
    expect(reported).toEqual(['url_opened', 'handover']);
  });

  it('asks anew when it is to settle again after an answer', async () => {
    const { agent, link } = start();
    agent.say(HELLO);
    await agent.hears('claim');
    link.settle();
    const first = await agent.hears('settle');
    agent.say({ type: 'settled', settleId: first.settleId, holding: false });
    await expect.poll(() => link.settled).toBe(true);
    link.settle();
    expect(link.settled).toBe(false);
    expect((await agent.hears('settle', 2)).settleId).not.toBe(first.settleId);
  });

  it('tells that an answer of the person was delivered, or that the link ended first', async () => {
    const { agent, link, ended } = start();
    agent.say(HELLO);
    await agent.hears('claim');
    const delivered = link.answer({ answerId: 'one', kind: 'line', text: 'code' });
    agent.say({ type: 'answer_delivered', answerId: (await agent.hears('answer')).answerId });
    expect(await delivered).toBe(true);
    const lost = link.answer({ answerId: 'two', kind: 'line', text: 'code' });
    agent.stream.end();
    await ended;
    expect(await lost).toBe(false);
  });

  it('tells that an answer of the person was refused by the agent, at once', async () => {
    const { agent, link } = start();
    agent.say(HELLO);
    await agent.hears('claim');
    const refused = link.answer({ answerId: 'one', kind: 'callback', text: 'http://127.0.0.1:1455/cb?code=a' });
    expect(await agent.hears('answer')).toMatchObject({ kind: 'callback', answerId: 'one' });
    agent.say({ type: 'answer_refused', answerId: 'one', words: 'It was answered already.' });
    expect(await refused).toBe(false);
  });

  it('knows which way the agent was told: with the claim, then with each change', async () => {
    const { agent, link } = start();
    expect(link.toldWay).toBeNull();
    agent.say(HELLO);
    expect(await agent.hears('claim')).toMatchObject({ way: 1, mode: 'vm_browser', mayUse: false });
    expect(link.toldWay).toBe(1);
    const change = { type: 'change_way', way: 2, mode: 'own_browser', plan: toTestLoginPlan() } as const;
    link.changeWay(change);
    expect(await agent.hears('change_way')).toEqual(change);
    expect(link.toldWay).toBe(2);
  });

  it('ends when it is closed', async () => {
    const { link, ended } = start();
    link.close();
    await ended;
    expect(link.connected).toBe(false);
  });
});
