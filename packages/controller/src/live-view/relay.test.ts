import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { keepAlive, relay } from './relay.ts';
import { createSocketPair } from './testing-socket-pair.ts';

let sockets: WebSocketServer;
let page: WebSocket;
let served: WebSocket;
let display: Socket;
let relayed: Socket;

beforeEach(async () => {
  sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(sockets, 'listening');
  page = new WebSocket(`ws://127.0.0.1:${(sockets.address() as AddressInfo).port}`);
  [[served]] = (await Promise.all([once(sockets, 'connection'), once(page, 'open')])) as unknown as [[WebSocket]];
  [display, relayed] = await createSocketPair();
});
afterEach(() => {
  for (const socket of [page, served]) socket.terminate();
  for (const socket of [display, relayed]) socket.destroy();
  sockets.close();
});

const SOON = { timeout: 15_000 };
const CHUNK_BYTES = 64 * 1024;

describe('the relay', () => {
  it('carries 32 MiB each way unchanged and in order', async () => {
    relay(served, relayed);
    const chunks = Array.from({ length: 512 }, () => randomBytes(CHUNK_BYTES));
    const expected = createHash('sha256').update(Buffer.concat(chunks)).digest('hex');

    const [down, up] = [createHash('sha256'), createHash('sha256')];
    let [downBytes, upBytes] = [0, 0];
    page.on('message', (data: Buffer) => {
      down.update(data);
      downBytes += data.length;
    });
    display.on('data', (data: Buffer) => {
      up.update(data);
      upBytes += data.length;
    });
    for (const chunk of chunks) {
      page.send(chunk);
      if (!display.write(chunk)) await once(display, 'drain');
    }
    const total = chunks.length * CHUNK_BYTES;
    await vi.waitFor(() => expect([downBytes, upBytes]).toEqual([total, total]), SOON);
    expect([down.digest('hex'), up.digest('hex')]).toEqual([expected, expected]);
  });

  it('stops reading the display while the page reads nothing, and goes on when it does', async () => {
    relay(served, relayed);
    page.pause();
    let sent = 0;
    for (; sent < 4096 && !relayed.isPaused(); sent += 1) {
      display.write(Buffer.alloc(CHUNK_BYTES));
      await setImmediate();
    }
    expect(relayed.isPaused()).toBe(true);
    expect(served.bufferedAmount).toBeLessThan(8 * 1024 * 1024);

    let received = 0;
    page.on('message', (data: Buffer) => (received += data.length));
    page.resume();
    await vi.waitFor(() => expect(received).toBe(sent * CHUNK_BYTES), SOON);
  });

  it('stops reading the page while the display takes nothing', async () => {
    relay(served, relayed);
    for (let sent = 0; sent < 64; sent += 1) page.send(Buffer.alloc(CHUNK_BYTES));
    await vi.waitFor(() => expect(served.isPaused).toBe(true), SOON);
    display.resume();
    await vi.waitFor(() => expect(served.isPaused).toBe(false), SOON);
  });

  it('ends the display with the page', async () => {
    relay(served, relayed);
    page.close();
    await once(display, 'close');
    expect(relayed.destroyed).toBe(true);
  });

  it('ends the page with the display', async () => {
    relay(served, relayed);
    display.end();
    expect((await once(page, 'close'))[0]).toBe(4410);
  });

  it('ends the page with a display that was gone before', async () => {
    relayed.destroy();
    relay(served, relayed);
    expect((await once(page, 'close'))[0]).toBe(4410);
  });

  it('ends the page although it reads nothing', async () => {
    relay(served, relayed);
    page.pause();
    relayed.destroy(new Error('display crashed'));
    await once(served, 'close');
    expect(served.readyState).toBe(WebSocket.CLOSED);
  });
});

describe('keeping alive', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends a connection whose page has not answered a ping when the next is due', async () => {
    keepAlive(served, 1000);
    page.pause();
    vi.advanceTimersByTime(1000);
    expect(served.readyState).toBe(WebSocket.OPEN);
    vi.advanceTimersByTime(1000);
    await once(served, 'close');
    expect(served.readyState).toBe(WebSocket.CLOSED);
  });

  it('leaves one alone that answers', async () => {
    keepAlive(served, 1000);
    for (let ping = 0; ping < 3; ping += 1) {
      const answered = once(served, 'pong');
      vi.advanceTimersByTime(1000);
      await answered;
    }
    expect(served.readyState).toBe(WebSocket.OPEN);
  });
});
