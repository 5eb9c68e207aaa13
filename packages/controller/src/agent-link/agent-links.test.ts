import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import type { AgentReports } from '../session/agent-reports.ts';
import { createLogger } from '../telemetry/logger.ts';
import { AgentLinks } from './agent-links.ts';
import { createTestLink, createTestReports, HELLO, type TestAgent } from './testing-agent.ts';

const VM = 'vm_a_1';
const all: AgentLinks[] = [];
afterEach(() => {
  for (const links of all.splice(0)) links.close();
});

/** A VM that can be dialled; `agents` are the ends it accepted, oldest first. */
function start(change: Partial<Pick<AgentReports, 'greet' | 'report'>> = {}, isUp = (): boolean => true) {
  const agents: TestAgent[] = [];
  let tries = 0;
  const { logger: log } = createLogger({ level: 'silent' });
  const links = new AgentLinks({
    async connect(): Promise<Duplex> {
      tries += 1;
      if (!isUp()) throw new Error('nobody listens');
      const { stream, agent } = createTestLink();
      agents.push(agent);
      agent.say(HELLO);
      return stream;
    },
    reports: createTestReports(change),
    onFact: () => undefined,
    clock: systemClock,
    awake: systemClock,
    log,
  });
  all.push(links);
  return { links, agents, tries: () => tries };
}

const isConnected = (links: AgentLinks) => expect.poll(() => links.fact(VM).state).toBe('connected');

describe('the agent links', () => {
  it('are idle, then dialling until the agent answers, then connected', async () => {
    let up = false;
    const { links, tries } = start({}, () => up);
    expect(links.fact(VM).state).toBe('idle');
    links.dial(VM);
    expect(links.fact(VM).state).toBe('dialling');
    await expect.poll(tries).toBeGreaterThan(2);
    expect(links.fact(VM).state).toBe('dialling');
    up = true;
    await isConnected(links);
  });

  it('dial each VM once, however often they are told to', async () => {
    const { links, agents } = start();
    for (let count = 0; count < 5; count += 1) links.dial(VM);
    await isConnected(links);
    expect(agents).toHaveLength(1);
  });

  it('dial again when a link ended, and forget what was said on the old one', async () => {
    const { links, agents } = start();
    links.dial(VM);
    await isConnected(links);
    links.release(VM);
    expect(links.fact(VM).released).toBe(true);
    agents[0]?.stream.end();
    await expect.poll(() => agents.length).toBe(2);
    await isConnected(links);
    expect(links.fact(VM)).toMatchObject({ released: false, settled: false });
  });

  it('stay connected, in their own words, until everything an ended link brought was acted on', async () => {
    let commit = (): void => undefined;
    const committed = new Promise<void>((resolve) => (commit = resolve));
    const { links, agents } = start({
      async report() {
        await committed;
        return null;
      },
    });
    links.dial(VM);
    await isConnected(links);
    agents[0]?.say({ type: 'cli_exited', exitCode: 0, signal: null });
    agents[0]?.stream.end();
    await new Promise((resolve) => setImmediate(resolve));
    expect(links.fact(VM).state).toBe('connected');
    commit();
    await expect.poll(() => agents.length).toBe(2);
  });

  it('remember over a new link that a login could not be stored', async () => {
    const { links, agents } = start({ report: () => Promise.reject(new Error('database down')) });
    links.dial(VM);
    await isConnected(links);
    agents[0]?.say({
      type: 'handover',
      handoverId: '00000000-0000-4000-8000-0000000000aa',
      contentHash: 'a'.repeat(64),
      files: [{ path: '.demo', contentBase64: 'e30=' }],
      account: null,
      expiresAt: null,
      evidence: [],
    });
    await expect.poll(() => links.fact(VM).storeError).not.toBeNull();
  });

  it('dial no more after a drop, and close a connection that comes in late', async () => {
    let accept = (_stream: Duplex): void => undefined;
    const { logger: log } = createLogger({ level: 'silent' });
    const links = new AgentLinks({
      connect: () => new Promise((resolve) => (accept = resolve)),
      reports: createTestReports(),
      onFact: () => undefined,
      clock: systemClock,
      awake: systemClock,
      log,
    });
    links.dial(VM);
    await links.drop(VM);
    expect(links.fact(VM).state).toBe('idle');
    const { stream } = createTestLink();
    accept(stream);
    await expect.poll(() => stream.destroyed).toBe(true);
  });

  it('act on all that a VM said before it ended, before they drop it', async () => {
    let commit = (): void => undefined;
    const committed = new Promise<void>((resolve) => (commit = resolve));
    const told: string[] = [];
    const { links, agents } = start({
      async report(_vmId, _sessionId, message) {
        await committed;
        told.push(message.type);
        return null;
      },
    });
    links.dial(VM);
    await isConnected(links);
    agents[0]?.say({ type: 'cli_exited', exitCode: 0, signal: null });
    agents[0]?.stream.end();
    const dropped = links.drop(VM);
    commit();
    await dropped;
    expect(told).toEqual(['cli_exited']);
    expect(links.fact(VM).state).toBe('idle');
  });

  it('let what is being acted on come to its end also when a frozen VM never closes its link', async () => {
    let commit = (): void => undefined;
    const committed = new Promise<void>((resolve) => (commit = resolve));
    let isTold = false;
    const { links, agents } = start({
      async report() {
        await committed;
        isTold = true;
        return null;
      },
    });
    links.dial(VM);
    await isConnected(links);
    agents[0]?.say({ type: 'cli_exited', exitCode: 0, signal: null });
    await expect.poll(() => agents[0]?.received.length).toBeGreaterThan(0);
    const dropped = links.drop(VM);
    await expect.poll(() => links.fact(VM).state).toBe('idle');
    expect(isTold).toBe(false);
    commit();
    await dropped;
    expect(isTold).toBe(true);
  });

  it('refuse an answer of the person while there is no link', async () => {
    const { links } = start({}, () => false);
    const answer = { answerId: 'one', kind: 'line', text: 'code' } as const;
    expect(await links.answer(VM, answer)).toBe(false);
    links.dial(VM);
    expect(await links.answer(VM, answer)).toBe(false);
  });
});
