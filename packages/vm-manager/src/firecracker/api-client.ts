/** Speaks to one Firecracker over its API socket. Nothing is tried again: whoever calls knows whether that makes sense. */
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { z } from 'zod';
import type { FirecrackerRequest } from './api-requests.ts';

export type FirecrackerApi = {
  /** Rejects with Firecracker's own words (`fault_message`). */
  put(what: FirecrackerRequest): Promise<void>;
  getVersion(): Promise<string>;
};

const ANSWER_MS = 10_000;
const MOST_BYTES = 64 * 1024;
const faultSchema = z.object({ fault_message: z.string() });
const versionSchema = z.object({ firecracker_version: z.string() });

/** `connect` is called for each request. */
export function createFirecrackerApi(connect: () => Promise<Socket>, answerMs = ANSWER_MS): FirecrackerApi {
  async function send(method: 'GET' | 'PUT', path: string, body: unknown): Promise<string> {
    const name = `${method} ${path}`;
    const socket = await connect().catch((error: unknown) => {
      throw new Error(`${name}: nobody answers: ${toWords(error)}`, { cause: error });
    });
    try {
      return await exchange(socket, { method, path, name, body });
    } finally {
      socket.destroy();
    }
  }

  async function exchange(
    socket: Socket,
    { method, path, name, body }: { method: string; path: string; name: string; body: unknown },
  ): Promise<string> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const fail = (error: Error): void => reject(new Error(`${name}: ${error.message}`, { cause: error }));
      const outgoing = request({
        ...{ method, path, createConnection: () => socket, signal: AbortSignal.timeout(answerMs) },
        headers: {
          host: 'localhost',
          accept: 'application/json',
          ...(text !== '' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      });
      outgoing.on('error', (error) =>
        fail(error.name === 'AbortError' ? new Error(`no answer within ${answerMs} ms`) : error),
      );
      outgoing.on('response', (response) => void readAll(response).then(resolve, fail));
      outgoing.end(text);
    });
    if (answer.status >= 200 && answer.status < 300) return answer.text;
    throw new Error(`${name}: ${toFault(answer)}`);
  }

  return {
    put: async ({ path, body }) => void (await send('PUT', path, body)),
    getVersion: async () =>
      versionSchema.parse(JSON.parse(await send('GET', '/version', undefined))).firecracker_version,
  };
}

async function readAll(response: IncomingMessage): Promise<{ status: number; text: string }> {
  let text = '';
  for await (const chunk of response as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.length > MOST_BYTES) throw new Error('the answer is longer than any of Firecracker');
  }
  return { status: response.statusCode ?? 0, text };
}

function toFault({ status, text }: { status: number; text: string }): string {
  try {
    return faultSchema.parse(JSON.parse(text)).fault_message;
  } catch {
    return `answered ${status}`;
  }
}

const toWords = (error: unknown): string => (error instanceof Error ? error.message : String(error));
