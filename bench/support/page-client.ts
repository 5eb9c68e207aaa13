/** What a page does, without a browser: asks for a sign-in, is told of its changes by push, and opens its live view. */
import { get, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocket } from 'ws';
import { sessionPushSchema, type SessionPush } from '@vestibule/protocol/api';
import { createClient, type Client } from '@vestibule/protocol/client';
import { ROUTES } from '@vestibule/protocol/routes';
import { nowMs } from './measures.ts';

export type ReceivedPush = SessionPush & { receivedAtMs: number };

export type PageClient = {
  client: Client;
  /** The session's pushes, until nothing more can happen or the caller stops listening. */
  follow(sessionId: string): AsyncGenerator<ReceivedPush>;
  /** The display's bytes, through a ticket and the relay. */
  openLiveView(sessionId: string): Promise<Duplex>;
};

export function createPageClient({ origin, token }: { origin: string; token: string }): PageClient {
  const headers = { authorization: `Bearer ${token}` };
  const client = createClient({ baseUrl: origin, headers });

  async function* follow(sessionId: string): AsyncGenerator<ReceivedPush> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${origin}${ROUTES.events(sessionId)}`, { headers, agent: false }, resolve).once('error', reject);
    });
    if (response.statusCode !== 200) throw new Error(`the events of ${sessionId} were answered ${response.statusCode}`);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      const receivedAtMs = nowMs();
      const blocks = (text + String(chunk)).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^event: session\ndata: (.+)$/m.exec(block)?.[1];
        if (data !== undefined) yield { ...sessionPushSchema.parse(JSON.parse(data)), receivedAtMs };
      }
    }
  }

  async function openLiveView(sessionId: string): Promise<Duplex> {
    const { ticket } = await client.issueTicket(sessionId);
    const url = `${origin.replace(/^http/, 'ws')}${ROUTES.liveView(ticket)}`;
    const socket = new WebSocket(url, 'binary', { origin, perMessageDeflate: false });
    return createWebSocketStream(socket);
  }

  return { client, follow, openLiveView };
}
