/** The live view of another host's controller, over real connections. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { AppError } from '@vestibule/protocol/errors';
import { TestingServer } from '../http/testing-server.ts';
import { TestingTlsProxy } from '../http/testing-tls-proxy.ts';
import { connectPeerDisplay } from './peer-display.ts';
import { DisplayAwayError } from './relay.ts';

const never = new AbortController().signal;

let owner: TestingServer;
let sessionId: string;
beforeEach(async () => {
  owner = await TestingServer.start();
  sessionId = await owner.connect();
});
afterEach(() => owner.close());

const connect = async (peerUrl: string = owner.origin, ticket?: string) =>
  connectPeerDisplay(peerUrl, ticket ?? (await owner.ticket(sessionId)), never);

describe('the display of another host', () => {
  it('carries bytes both ways, from the first one on', async () => {
    const display = await connect();
    const theirs = await owner.ports.showDisplay(sessionId);
    theirs.write('RFB 003.008\n');
    const [greeting] = (await once(display, 'data')) as [Buffer];
    expect(greeting.toString()).toBe('RFB 003.008\n');
    display.write('key');
    const [key] = (await once(theirs, 'data')) as [Buffer];
    expect(key.toString()).toBe('key');
  });

  it('carries much at once, in order, to a reader who is slow', async () => {
    const display = await connect();
    const theirs = await owner.ports.showDisplay(sessionId);
    const sent = Buffer.from(Array.from({ length: 8 * 1024 * 1024 }, (_, index) => (index * 31) % 251));
    theirs.write(sent);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of display) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      await new Promise(setImmediate);
      if (size >= sent.length) break;
    }
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it('ends as the session does', async () => {
    const display = await connect();
    display.resume();
    owner.ports.failDisplay(sessionId, new AppError('session_ended'));
    await once(display, 'end');
    expect(display.errored).toBeNull();
  });

  it.each([
    ['that controller stops', () => void owner.close()],
    ['the display never comes', () => owner.ports.failDisplay(sessionId, new Error('no display within 60 s'))],
  ])('is away, not ended, when %s', async (_what, happen) => {
    const display = await connect();
    const failed = once(display, 'error');
    display.resume();
    happen();
    expect((await failed)[0]).toBeInstanceOf(DisplayAwayError);
  });

  it('lets go when its viewer leaves', async () => {
    const display = await connect();
    const theirs = await owner.ports.showDisplay(sessionId);
    display.destroy();
    await once(theirs, 'close');
    expect(theirs.destroyed).toBe(true);
  });

  it('is not asked for on behalf of a viewer who has left', async () => {
    const gone = new AbortController();
    gone.abort(new Error('left'));
    await expect(connectPeerDisplay(owner.origin, 'ticket', gone.signal)).rejects.toThrow('left');
  });
});

describe('the address of another controller', () => {
  it.each(['http://10.0.0.7:7080', 'http://vestibule.example.org', 'ftp://127.0.0.1', 'not an address'])(
    'is refused when what is said there could be read on the way: %s',
    async (peerUrl) => {
      await expect(connect(peerUrl, 'A'.repeat(43))).rejects.toThrow(/neither https nor on this machine/);
    },
  );

  it('that is of another controller than the host’s is told apart, and the words carry no ticket', async () => {
    const ticket = 'A'.repeat(43);
    const failure = await connect(owner.origin, ticket).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ message: expect.stringMatching(/refused the ticket with 401/) as string });
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain(ticket);
  });

  it('is refused when its certificate is not trusted', async () => {
    const proxy = await TestingTlsProxy.start();
    proxy.passTo(Number(new URL(owner.origin).port));
    await expect(connect(proxy.origin)).rejects.toThrow(/cannot be reached: .*self-signed certificate/);
    proxy.close();
  });

  it('where nobody listens is said', async () => {
    await expect(connect('http://127.0.0.1:1')).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached: /);
  });

  it('that leads elsewhere is not followed: a ticket is for one place', async () => {
    let asked = 0;
    const elsewhere = new WebSocketServer({ host: '127.0.0.1', port: 0 }).on('connection', (socket: WebSocket) => {
      asked += 1;
      socket.terminate();
    });
    await once(elsewhere, 'listening');
    const target = (elsewhere.address() as AddressInfo).port;
    const redirecting = createServer().on('upgrade', (_request, socket) =>
      socket.end(`HTTP/1.1 302 Found\r\nlocation: ws://127.0.0.1:${target}/\r\n\r\n`),
    );
    redirecting.listen(0, '127.0.0.1');
    await once(redirecting, 'listening');
    await expect(connect(`http://127.0.0.1:${(redirecting.address() as AddressInfo).port}`)).rejects.toThrow('302');
    expect(asked).toBe(0);
    redirecting.close();
    elsewhere.close();
  });
});

it('a controller answers to the name under which others reach it', async () => {
  const server = await TestingServer.start({ peerUrl: 'https://a.controllers.internal:8443' });
  const host = { host: 'a.controllers.internal:8443' };
  expect((await server.send('GET', '/v1/providers', undefined, host)).status).toBe(200);
  expect((await server.send('GET', '/v1/providers', undefined, { host: 'b.controllers.internal:8443' })).status).toBe(
    403,
  );
  await server.close();
});
