/** What a broken or hostile agent cannot make the controller do. */
import { describe, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { AgentLinks } from './agent-links.ts';
import { createTestLink, createTestReports, HELLO } from './testing-agent.ts';

const CANARY = 'canary-9f2c71';

function start(text: string) {
  let dials = 0;
  const lines: string[] = [];
  const { logger: log } = createLogger({
    level: 'debug',
    readable: false,
    destination: { write: (line) => void lines.push(line) },
  });
  const links = new AgentLinks({
    async connect() {
      dials += 1;
      const { stream, agent } = createTestLink();
      agent.say(HELLO);
      agent.stream.write(text);
      return stream;
    },
    reports: createTestReports(),
    onFact: () => undefined,
    clock: systemClock,
    awake: systemClock,
    log,
  });
  return { links, lines, dials: () => dials };
}

describe('an agent that says hello and then garbage', () => {
  it('is not dialled a hundred times a second: each greeting is three statements', async () => {
    const { links, dials } = start('garbage\n');
    links.dial('vm_a_1');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    links.close();
    expect(dials()).toBeLessThan(40);
  });

  it('has nothing of what it said in a log (I7)', async () => {
    const { links, lines, dials } = start(`{"token":"${CANARY}"oops\n{"x":${CANARY}}\n`);
    links.dial('vm_a_1');
    await expect.poll(dials).toBeGreaterThan(1);
    links.close();
    const other = start(`${CANARY}\n`);
    other.links.dial('vm_a_1');
    await expect.poll(other.dials).toBeGreaterThan(1);
    other.links.close();
    expect([...lines, ...other.lines].join('')).not.toContain(CANARY.slice(0, 9));
  });
});
