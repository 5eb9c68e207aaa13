/**
 * Server-sent events: the open streams of this controller, their heartbeat, and what happens to a reader that is too slow.
 * Knows bytes and connections, not where changes come from. A stream keeps nothing but its socket.
 */
import type { ServerResponse } from 'node:http';
import type { SessionPush } from '@vestibule/protocol/api';
import type { OpenCount } from '../telemetry/metrics.ts';

const HEARTBEAT_MS = 15_000;
/** Streams beat in turns: ten thousand at once would hold up everything else. */
const TURNS = 60;
/** A reader with more than this unread is dropped; it resumes by `Last-Event-ID`. */
const MAX_UNREAD_BYTES = 1024 * 1024;

export class EventStream {
  readonly #raw: ServerResponse;

  constructor(raw: ServerResponse) {
    this.#raw = raw;
  }

  push(push: SessionPush): void {
    this.send(push.session.seq, 'session', push);
  }

  send(id: number, event: string, data: unknown): void {
    this.#write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Nothing more can happen: the reader must not come back. */
  end(): void {
    this.#write('event: end\ndata: {}\n\n');
    this.#raw.end();
  }

  beat(): void {
    this.#write(':\n\n');
  }

  /** Cuts the connection without a word and without waiting for a slow reader, who comes back. */
  drop(): void {
    this.#raw.destroy();
  }

  #write(text: string): void {
    if (this.#raw.writableEnded || this.#raw.destroyed) return;
    this.#raw.write(text);
    if (this.#raw.writableLength > MAX_UNREAD_BYTES) this.#raw.destroy();
  }
}

export class EventStreams {
  /** With the turn in which each beats. */
  readonly #streams = new Map<EventStream, number>();
  readonly #count: OpenCount;
  readonly #heartbeat: NodeJS.Timeout;
  #turn = 0;
  #nextTurn = 0;
  #isClosed = false;

  constructor(count: OpenCount) {
    this.#count = count;
    this.#heartbeat = setInterval(() => {
      this.#turn = (this.#turn + 1) % TURNS;
      for (const [stream, turn] of this.#streams) if (turn === this.#turn) stream.beat();
    }, HEARTBEAT_MS / TURNS).unref();
  }

  /** Sends the head of the answer; `headers` are those every answer carries. The stream leaves by itself when its connection closes. */
  open(raw: ServerResponse, headers: Record<string, string | number | string[] | undefined>): EventStream {
    // Closed with its stream: a connection kept alive would hold up the stop of the server.
    const own = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no', connection: 'close' };
    raw.writeHead(200, { ...headers, ...own });
    raw.write('retry: 1000\n\n');
    const stream = new EventStream(raw);
    this.#nextTurn = (this.#nextTurn + 1) % TURNS;
    this.#streams.set(stream, this.#nextTurn);
    this.#count.opened();
    raw.once('close', () => {
      this.#streams.delete(stream);
      this.#count.closed();
    });
    if (this.#isClosed) stream.drop();
    return stream;
  }

  /** Ends all connections, and each that comes later, so that a server can stop at once. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#heartbeat);
    for (const stream of this.#streams.keys()) stream.drop();
  }
}
