import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { WRONG_TOKENS_PER_MINUTE } from './authentication.ts';
import { TOKEN, TestingServer } from './testing-server.ts';
import { TestingTlsProxy } from './testing-tls-proxy.ts';

let pageDir: string;
let proxy: TestingTlsProxy;
let server: TestingServer;
let cookie: string;

beforeAll(async () => {
  pageDir = mkdtempSync(join(tmpdir(), 'vestibule-page-'));
  writeFileSync(join(pageDir, 'index.html'), '<title>Vestibule</title>');
  proxy = await TestingTlsProxy.start();
  server = await TestingServer.start({ publicUrl: proxy.origin, pageDir });
  proxy.passTo(server.port);
  const answer = await open('POST', '/v1/operator-session', { origin: proxy.origin }, { token: TOKEN });
  cookie = answer.headers['set-cookie']?.[0] ?? '';
});
afterAll(async () => {
  proxy.close();
  await server.close();
  rmSync(pageDir, { recursive: true });
});

/** Through the proxy, as a browser at its https address. */
async function open(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<IncomingMessage> {
  const sent = request(`${proxy.origin}${path}`, {
    method,
    ca: proxy.cert,
    agent: false,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return answer;
}

function openLiveView(ticket: string, origin: string): WebSocket {
  return new WebSocket(`${proxy.origin.replace('https', 'wss')}/v1/live-view?ticket=${ticket}`, {
    ca: proxy.cert,
    origin,
  });
}

describe('behind a TLS proxy', () => {
  it('serves the page, whose policy lets it open WebSockets to the public address', async () => {
    const answer = await open('GET', '/', { accept: 'text/html' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-security-policy']).toContain(`connect-src 'self' wss://localhost:${proxy.port};`);
  });

  it('gives a Secure cookie, which opens the API for our own page alone', async () => {
    expect(cookie).toContain('; Secure');
    const body = { userId: 'ada', provider: 'demo' };
    const own = await open('POST', '/v1/auth-sessions', { cookie, origin: proxy.origin }, body);
    const foreign = await open('POST', '/v1/auth-sessions', { cookie, origin: 'https://evil.example' }, body);
    const downgraded = await open(
      'POST',
      '/v1/auth-sessions',
      { cookie, origin: proxy.origin.replace('https', 'http') },
      body,
    );
    expect([own.statusCode, foreign.statusCode, downgraded.statusCode]).toEqual([201, 403, 403]);
  });

  it('pushes events at once', async () => {
    const sessionId = await server.connect('bea');
    const answer = await open('GET', `/v1/auth-sessions/${sessionId}/events`, { cookie });
    answer.setEncoding('utf8');
    let text = '';
    answer.on('data', (chunk: string) => (text += chunk));
    while (!text.includes('event: session')) await once(answer, 'data');
    server.ports.change(sessionId, 'credential_stored', { status: 'completed' });
    while (!text.includes('"status":"completed"')) await once(answer, 'data');
    answer.destroy();
    expect(text).toContain('id: 1\n');
  });

  it('carries the live view for our own page, and refuses a foreign one', async () => {
    const sessionId = await server.connect('cleo');
    const foreign = openLiveView(await server.ticket(sessionId), 'https://evil.example');
    foreign.on('error', () => undefined);
    const [, refused] = (await once(foreign, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(refused.statusCode).toBe(403);
    foreign.terminate();

    const socket = openLiveView(await server.ticket(sessionId), proxy.origin);
    await once(socket, 'open');
    (await server.ports.showDisplay(sessionId)).write('RFB 003.008\n');
    const [greeting] = (await once(socket, 'message')) as [Buffer];
    expect(greeting.toString()).toBe('RFB 003.008\n');
    socket.terminate();
  });

  it('still answers on its own address', async () => {
    expect((await server.send('GET', '/v1/providers')).status).toBe(200);
  });

  it('counts wrong tokens by the address the proxy saw, not by what that caller claimed before it', async () => {
    const guess = (claimed: string) =>
      open('GET', '/v1/providers', { authorization: 'Bearer wrong', 'x-forwarded-for': claimed });
    for (let tries = 0; tries < WRONG_TOKENS_PER_MINUTE; tries += 1) await guess(`10.0.0.${tries}`);
    expect((await guess('10.0.1.1')).statusCode).toBe(429);
    const other = await server.send('GET', '/v1/providers', undefined, {
      authorization: 'Bearer wrong',
      'x-forwarded-for': '192.0.2.9',
    });
    expect(other.status).toBe(401);
  });
});
