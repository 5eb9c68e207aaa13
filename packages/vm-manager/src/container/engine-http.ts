/** HTTP over the unix socket of a container engine: one connection for each request, so that an engine that came back is simply there. */
import { request, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as z from 'zod/mini';

export type EngineRequest = {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, as a tar archive. */
  archive?: Readable;
  /** Default 30 s without a byte from the engine. */
  timeoutMs?: number;
};
export type EngineAnswer = { status: number; body: string };

/** The engine understood the request and refused it; the message is its own. */
export class EngineError extends Error {
  readonly status: number;
  constructor(what: string, { status, body }: EngineAnswer) {
    super(`${what}: ${toMessage(body) || `status ${status}`}`);
    this.status = status;
  }
}

const messageSchema = z.object({ message: z.string() });

/** Engines answer a failure with JSON; what is between (a proxy) may not. */
function toMessage(body: string): string {
  try {
    return messageSchema.parse(JSON.parse(body)).message;
  } catch {
    return body.slice(0, 500).trim();
  }
}

/** Rejects when the engine cannot be reached or stays silent; an answer that refuses is an answer. */
export function askEngine(socketPath: string, asked: EngineRequest): Promise<EngineAnswer> {
  const { method, path, query = {}, body, archive, timeoutMs = 30_000 } = asked;
  const search = new URLSearchParams(query).toString();
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...{ socketPath, method, agent: false, timeout: timeoutMs },
      path: search === '' ? path : `${path}?${search}`,
      headers: { host: 'engine', connection: 'close', ...toContentHeaders(payload, archive !== undefined) },
    });
    outgoing.once('error', (error) => reject(new Error(`the container engine at ${socketPath}: ${error.message}`)));
    outgoing.once('timeout', () =>
      outgoing.destroy(new Error(`no answer to ${method} ${path} within ${timeoutMs} ms`)),
    );
    outgoing.once('response', (answer: IncomingMessage) => {
      text(answer).then((content) => resolve({ status: answer.statusCode ?? 0, body: content }), reject);
    });
    if (archive === undefined) outgoing.end(payload);
    else archive.once('error', (error) => outgoing.destroy(error)).pipe(outgoing);
  });
}

function toContentHeaders(payload: string | undefined, isArchive: boolean): Record<string, string | number> {
  if (isArchive) return { 'content-type': 'application/x-tar' };
  return payload === undefined
    ? {}
    : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
}
