/** The double's API socket: HTTP/1.1 with the limits and faults of the real one, and the slow and failing answers that its settings name. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { DoubleSettings } from './double-settings.ts';

export type ApiRequest = { method: string; path: string; body: string };
/** Returns the body of a 200, or null for a 204. Throws an Error whose message is the fault. */
export type ApiHandler = (request: ApiRequest) => unknown;

const MOST_BYTES = 51_200;

export function createApiServer(handle: ApiHandler, settings: DoubleSettings): Server {
  const scripted = [...settings.answers];

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const path = incoming.url ?? '/';
    const method = incoming.method ?? 'GET';
    let body = '';
    for await (const chunk of incoming as AsyncIterable<Buffer>) body += chunk.toString();
    if (Buffer.byteLength(body) > MOST_BYTES)
      return answerFault(outgoing, 'Request payload with size larger than the limit of 51200.', 413);
    const at = scripted.findIndex(({ request }) => request === `${method} ${path}`);
    const [script] = at < 0 ? [] : scripted.splice(at, 1);
    if (script !== undefined) await delay(script.delayMs);
    if (script?.instead === 'hang_up') return void incoming.socket.destroy();
    if (script?.instead === 'garbage') return void incoming.socket.end('this is not HTTP\r\n\r\n');
    if (typeof script?.instead === 'object') return answerFault(outgoing, script.instead.fault);
    if (method === 'GET' && body !== '') return answerFault(outgoing, 'GET request cannot have a body.');
    if (method !== 'GET' && body === '') return answerFault(outgoing, `Empty ${method} request.`);
    try {
      const value = handle({ method, path, body });
      if (value === null) outgoing.writeHead(204).end();
      else answer(outgoing, 200, value);
    } catch (error) {
      answerFault(outgoing, error instanceof Error ? error.message : String(error));
    }
  }
  return createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
}

function answer(outgoing: ServerResponse, status: number, value: unknown): void {
  outgoing
    .writeHead(status, { server: 'Firecracker API', 'content-type': 'application/json' })
    .end(JSON.stringify(value));
}

function answerFault(outgoing: ServerResponse, words: string, status = 400): void {
  answer(outgoing, status, { fault_message: words });
}
