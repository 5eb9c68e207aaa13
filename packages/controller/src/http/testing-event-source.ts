/** A test fixture: reads server-sent events as a page would, one by one, with a limit on how long it waits. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { sessionPushSchema } from '@vestibule/protocol/api';
import type { SessionPush } from '@vestibule/protocol/api';
import type { TestingServer } from './testing-server.ts';

export type Message = { id: string | null; event: string; data: string };

export class TestingEventSource {
  readonly #answer: IncomingMessage;
  #text = '';

  private constructor(answer: IncomingMessage) {
    this.#answer = answer;
    answer.setEncoding('utf8');
  }

  static async open(
    server: TestingServer,
    sessionId: string,
    lastEventId?: string,
    what: 'events' | 'output' = 'events',
  ): Promise<TestingEventSource> {
    const resume = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const headers = { accept: 'text/event-stream', ...resume };
    return new TestingEventSource(
      await server.open('GET', `/v1/auth-sessions/${sessionId}/${what}`, undefined, headers),
    );
  }

  get headers() {
    return this.#answer.headers;
  }

  /** The next block of lines, also a comment or `retry`; null when the server ended the stream. */
  async block(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const chunk: unknown = this.#answer.read();
      if (typeof chunk === 'string') this.#text += chunk;
      else if (this.#answer.readableEnded || this.#answer.destroyed) return null;
      else await Promise.race(['readable', 'end', 'close'].map((event) => once(this.#answer, event)));
    }
  }

  async message(): Promise<Message | null> {
    for (let block = await this.block(); block !== null; block = await this.block()) {
      const fields = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      const [event, data] = [fields.get('event'), fields.get('data')];
      if (event !== undefined && data !== undefined) return { id: fields.get('id') ?? null, event, data };
    }
    return null;
  }

  async push(): Promise<SessionPush & { id: string | null }> {
    const message = await this.message();
    if (message?.event !== 'session') throw new Error(`expected a push, got ${JSON.stringify(message)}`);
    return { ...sessionPushSchema.parse(JSON.parse(message.data)), id: message.id };
  }

  close(): void {
    this.#answer.destroy();
  }
}
