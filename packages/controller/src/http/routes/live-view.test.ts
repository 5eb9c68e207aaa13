import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { ticketSchema } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import { ROUTES } from '@vestibule/protocol/routes';
import { TestingServer, findUpgradeRefusal, toProblem } from '../testing-server.ts';

const SOON = { timeout: 10_000 };

let server: TestingServer;
let sessionId: string;
beforeEach(async () => {
  server = await TestingServer.start();
  sessionId = await server.connect();
});
afterEach(() => server.close());

async function findCloseCode(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, 'close')) as [number];
  return code;
}

function refusalOf(ticket: string) {
  return findUpgradeRefusal(server.origin.replace('http', 'ws') + ROUTES.liveView(ticket), server.origin);
}

describe('the ticket', () => {
  it('is given for a session and opens one connection; used twice it is refused before the upgrade', async () => {
    const answer = await server.send('POST', ROUTES.liveViewTickets(sessionId), {});
    expect(answer.status).toBe(201);
    const { ticket, expiresInMs } = ticketSchema.parse(JSON.parse(answer.text));
    expect(expiresInMs).toBeLessThanOrEqual(60_000);
    (await server.view(ticket)).terminate();
    expect(await refusalOf(ticket)).toEqual({ status: 401, code: 'invalid_ticket' });
  });

  it('that is wrong is refused before the upgrade, and so is its lack', async () => {
    expect(await refusalOf('A'.repeat(43))).toEqual({ status: 401, code: 'invalid_ticket' });
    expect(await refusalOf('')).toEqual({ status: 400, code: 'bad_request' });
  });

  it('is not used up by a plain request', async () => {
    const ticket = await server.ticket(sessionId);
    expect(toProblem(await server.send('GET', ROUTES.liveView(ticket))).detail).toBe(
      'Open this address as a WebSocket.',
    );
    (await server.view(ticket)).terminate();
  });
});

describe('a live view', () => {
  it('is held until the display is ready, then carries bytes both ways', async () => {
    const socket = await server.view(await server.ticket(sessionId));
    expect(socket.protocol).toBe('binary');
    const display = await server.ports.showDisplay(sessionId);
    display.write('RFB 003.008\n');
    const [greeting, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    expect([greeting.toString(), isBinary]).toEqual(['RFB 003.008\n', true]);
    socket.send(Buffer.from('key'));
    const [key] = (await once(display, 'data')) as [Buffer];
    expect(key.toString()).toBe('key');
    expect(await server.metrics.text()).toContain('vestibule_live_views_open 1');
    socket.close();
    await once(display, 'close');
    await vi.waitFor(async () => expect(await server.metrics.text()).toContain('vestibule_live_views_open 0'), SOON);
  });

  it('ends with 4410 at once when the display is gone', async () => {
    const socket = await server.view(await server.ticket(sessionId));
    (await server.ports.showDisplay(sessionId)).destroy();
    expect(await findCloseCode(socket)).toBe(4410);
  });

  it('ends with 4410 when the session ends while it waits, and with 4503 when the display never comes', async () => {
    const ended = await server.view(await server.ticket(sessionId));
    server.ports.failDisplay(sessionId, new AppError('session_ended'));
    expect(await findCloseCode(ended)).toBe(4410);

    const never = await server.view(await server.ticket(sessionId));
    server.ports.failDisplay(sessionId, new Error('no display within 60 s'));
    expect(await findCloseCode(never)).toBe(4503);
    expect(server.logLines.find((line) => line.includes('display never came'))).toContain(sessionId);
  });

  it('stops waiting for the display when the page leaves', async () => {
    const socket = await server.view(await server.ticket(sessionId));
    expect(server.ports.countWaiting(sessionId)).toBe(1);
    socket.close();
    await vi.waitFor(() => expect(server.ports.countWaiting(sessionId)).toBe(0), SOON);
  });

  it('refuses a page that speaks before the display does, or in text, or too much at once', async () => {
    const early = await server.view(await server.ticket(sessionId));
    early.send(Buffer.from('x'));
    expect(await findCloseCode(early)).toBe(1002);

    for (const [message, code] of [
      ['text', 1003],
      [Buffer.alloc(1024 * 1024 + 1), 1009],
    ] as const) {
      const socket = await server.view(await server.ticket(sessionId));
      (await server.ports.showDisplay(sessionId)).write('RFB');
      await once(socket, 'message');
      socket.send(message);
      expect(await findCloseCode(socket)).toBe(code);
    }
  });

  it('does not hold up a server that stops', async () => {
    const socket = await server.view(await server.ticket(sessionId));
    const display = await server.ports.showDisplay(sessionId);
    display.write('RFB');
    await once(socket, 'message');
    const [code] = await Promise.all([findCloseCode(socket), once(display, 'close'), server.close()]);
    expect(code).toBe(1001);
  });
});
