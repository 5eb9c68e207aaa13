/** A test's end of an agent link: sends what the controller would, and waits for what the agent says. */
import type { Duplex } from 'node:stream';
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import {
  agentMessageSchema,
  LINK_VERSION,
  type AgentMessage,
  type controllerMessageSchema,
  type LoginPlan,
} from '@vestibule/protocol/agent-messages';
import type { Mode } from '@vestibule/protocol/session';

type MessageOf<T extends AgentMessage['type']> = Extract<AgentMessage, { type: T }>;

export class AgentClient {
  readonly #stream: Duplex;
  readonly #waiting = new Set<() => void>();
  readonly received: AgentMessage[] = [];
  hasEnded = false;

  constructor(stream: Duplex) {
    this.#stream = stream;
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (text + chunk.toString()).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) this.received.push(agentMessageSchema.parse(JSON.parse(line)));
      this.#wake();
    });
    stream.once('close', () => {
      this.hasEnded = true;
      this.#wake();
    });
  }

  send(message: z.input<typeof controllerMessageSchema>): void {
    this.#stream.write(`${JSON.stringify(message)}\n`);
  }

  claim(plan: LoginPlan, epoch = 1, more: { mode?: Mode; way?: number; mayUse?: boolean } = {}): void {
    const claim = { version: LINK_VERSION, epoch, sessionId: randomUUID(), remainingMs: 60_000, plan };
    this.send({ type: 'claim', ...claim, ...more });
  }

  /** The first message of that type, now or later; rejects when the link ends without one. */
  async next<T extends AgentMessage['type']>(type: T): Promise<MessageOf<T>> {
    for (;;) {
      const found = this.received.find((message): message is MessageOf<T> => message.type === type);
      if (found !== undefined) return found;
      if (this.hasEnded) throw new Error(`the link ended without ${type}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async end(): Promise<void> {
    while (!this.hasEnded) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  close(): void {
    this.#stream.destroy();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
