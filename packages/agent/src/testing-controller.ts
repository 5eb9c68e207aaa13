/** The controller's end of an agent link, for tests: sends what it is told to, keeps what it gets, waits for what a test asks for. */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import {
  agentMessageSchema,
  LINK_VERSION,
  type AgentMessage,
  type ControllerMessage,
  type LoginPlan,
} from '@vestibule/protocol/agent-messages';
import type { Mode } from '@vestibule/protocol/session';
import { onTestFinished, vi } from 'vitest';
import { createDeferred } from './deferred.ts';

export const SESSION_ID = '00000000-0000-4000-8000-000000000001';

type ClaimParts = { epoch?: number; sessionId?: string; version?: number; way?: number; mode?: Mode };
type OfType<T extends AgentMessage['type']> = Extract<AgentMessage, { type: T }>;

export class TestController {
  readonly received: AgentMessage[] = [];
  readonly closed: Promise<void>;
  readonly #socket;

  constructor(path: string) {
    const ended = createDeferred<void>();
    this.closed = ended.promise;
    this.#socket = connect(path);
    this.#socket.on('close', () => ended.resolve());
    this.#socket.on('error', () => undefined);
    createInterface({ input: this.#socket }).on('line', (line) => {
      this.received.push(agentMessageSchema.parse(JSON.parse(line)));
    });
    onTestFinished(() => this.hangUp());
  }

  send(message: ControllerMessage): void {
    this.sendRaw(`${JSON.stringify(message)}\n`);
  }

  sendRaw(text: string): void {
    this.#socket.write(text);
  }

  claim(
    plan: LoginPlan,
    { epoch = 1, sessionId = SESSION_ID, version = LINK_VERSION, way = 1, mode = 'vm_browser' }: ClaimParts = {},
  ): void {
    this.send({
      type: 'claim',
      version,
      epoch,
      sessionId,
      remainingMs: 600_000,
      ...{ way, mode, mayUse: false },
      plan,
    });
  }

  hangUp(): void {
    this.#socket.destroy();
  }

  /** The first message of that type, now or later, of which `fits` holds. */
  async get<T extends AgentMessage['type']>(
    type: T,
    fits: (message: OfType<T>) => boolean = () => true,
  ): Promise<OfType<T>> {
    return vi.waitFor(
      () => {
        const found = this.received.find(
          (message): message is OfType<T> => message.type === type && fits(message as OfType<T>),
        );
        if (!found) throw new Error(`no such ${type} among ${this.types().join(', ')}`);
        return found;
      },
      { timeout: 15_000, interval: 5 },
    );
  }

  types(): string[] {
    return this.received.map(({ type }) => type);
  }
}
