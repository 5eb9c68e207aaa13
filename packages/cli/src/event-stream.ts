/**
 * What a browser's `EventSource` is to a page, for Node: on fetch, with headers, and resuming with `Last-Event-ID` after a drop, also one
 * that nothing tells of (a laptop that slept), for the server beats every 15 s. A refusal closes it.
 */
import type { EventStream } from '@vestibule/protocol/client';
import { SseReader } from './sse-reader.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;
const DEFAULT_RETRY_MS = 1000;
const MAX_RETRY_MS = 10_000;
const DEFAULT_SILENCE_MS = 45_000;

type Listener = (event: { data?: unknown }) => void;
export type FetchEventStreamOptions = {
  headers: Record<string, string>;
  fetch?: typeof fetch;
  /** Without a byte for so long, the connection counts as lost. */
  silenceMs?: number;
};

export class FetchEventStream implements EventStream {
  readonly #url: string;
  readonly #options: FetchEventStreamOptions;
  readonly #listeners = new Map<string, Listener[]>();
  #connection = new AbortController();
  #retry: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #lastEventId = '';
  #retryMs = DEFAULT_RETRY_MS;
  #drops = 0;
  readyState: number = CONNECTING;

  constructor(url: string, options: FetchEventStreamOptions) {
    this.#url = url;
    this.#options = options;
    void this.#run();
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  close(): void {
    this.readyState = CLOSED;
    clearTimeout(this.#retry);
    // Not left to the reading: its end may be long in coming.
    clearTimeout(this.#silence);
    this.#connection.abort();
  }

  async #run(): Promise<void> {
    this.#connection = new AbortController();
    let isRefused = false;
    try {
      isRefused = await this.#read(this.#connection.signal);
    } catch {
      // Not reached, or broken off: it is tried again.
    }
    this.#connection.abort();
    if (this.#isClosed()) return;
    this.readyState = isRefused ? CLOSED : CONNECTING;
    if (!isRefused) {
      const waitMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2 ** this.#drops);
      this.#drops += 1;
      this.#retry = setTimeout(() => void this.#run(), waitMs);
    }
    this.#tell('error', {});
  }

  /** Reads to the end of the connection. True when the server refused it for good. */
  async #read(signal: AbortSignal): Promise<boolean> {
    const { headers, silenceMs = DEFAULT_SILENCE_MS } = this.#options;
    const send = this.#options.fetch ?? fetch;
    this.#silence = setTimeout(() => this.#connection.abort(), silenceMs);
    try {
      const resume = this.#lastEventId === '' ? {} : { 'last-event-id': this.#lastEventId };
      const response = await send(this.#url, {
        headers: { ...headers, ...resume, accept: 'text/event-stream', 'cache-control': 'no-store' },
        signal,
      });
      if (response.status >= 500 || response.status === 429) return false;
      if (response.status !== 200 || response.body === null) return true;
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return true;
      this.readyState = OPEN;
      this.#drops = 0;
      this.#tell('open', {});
      const reader = new SseReader();
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        if (this.#isClosed()) return false;
        this.#silence.refresh();
        for (const message of reader.read(text)) {
          if (this.#isClosed()) return false;
          this.#lastEventId = message.id;
          this.#tell(message.event, { data: message.data });
        }
        this.#retryMs = reader.retryMs ?? this.#retryMs;
      }
      return false;
    } finally {
      clearTimeout(this.#silence);
    }
  }

  #isClosed(): boolean {
    return this.readyState === CLOSED;
  }

  #tell(type: string, event: { data?: unknown }): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }
}
