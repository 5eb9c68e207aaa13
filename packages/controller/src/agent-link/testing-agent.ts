/** Test support: the agent's end of a link, and a record of what the controller's end reported of it. */
import { duplexPair, type Duplex } from 'node:stream';
import type { AgentMessage, ControllerMessage } from '@vestibule/protocol/agent-messages';
import { createInterface } from 'node:readline';
import type { AgentReport, AgentReports, Greeting } from '../session/agent-reports.ts';
import { toTestLoginPlan } from '../session/testing-login-plan.ts';

export const SESSION_ID = '00000000-0000-4000-8000-000000000001';

export const HELLO = {
  type: 'hello',
  version: 1,
  vmId: 'vm_a_1',
  bootNonce: 'nonce-of-the-boot',
  buildId: 'build',
  abilities: ['pipes'],
} as const satisfies AgentMessage;

const GREETING: Greeting = {
  sessionId: SESSION_ID,
  claim: {
    type: 'claim',
    version: 1,
    epoch: 1,
    sessionId: SESSION_ID,
    remainingMs: 1_000,
    way: 1,
    mode: 'vm_browser',
    mayUse: false,
    plan: toTestLoginPlan(),
  },
};

/** The agent's end of a link. */
export class TestAgent {
  readonly stream: Duplex;
  readonly received: ControllerMessage[] = [];
  readonly #waiters = new Set<() => void>();

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('error', () => undefined);
    createInterface({ input: stream }).on('line', (line) => {
      this.received.push(JSON.parse(line) as ControllerMessage);
      for (const look of [...this.#waiters]) look();
    });
  }

  say(...messages: AgentMessage[]): void {
    this.stream.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  }

  /** Resolves to the `count`-th message of that type. */
  hears<T extends ControllerMessage['type']>(type: T, count = 1): Promise<Extract<ControllerMessage, { type: T }>> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.received.filter((message) => message.type === type)[count - 1];
        if (found === undefined) return;
        this.#waiters.delete(look);
        resolve(found as Extract<ControllerMessage, { type: T }>);
      };
      this.#waiters.add(look);
      look();
    });
  }
}

/** The controller's end of a link, and its agent. */
export function createTestLink(): { stream: Duplex; agent: TestAgent } {
  const [stream, other] = duplexPair();
  return { stream, agent: new TestAgent(other) };
}

export type TestReports = Pick<AgentReports, 'greet' | 'report'> & { reported: AgentReport[] };

/** Reports that are kept instead of stored; `change` replaces parts. */
export function createTestReports(change: Partial<Pick<AgentReports, 'greet' | 'report'>> = {}): TestReports {
  const reported: AgentReport[] = [];
  return {
    reported,
    greet: () => Promise.resolve(GREETING),
    async report(_vmId, _sessionId, message) {
      reported.push(message);
      return null;
    },
    ...change,
  };
}
