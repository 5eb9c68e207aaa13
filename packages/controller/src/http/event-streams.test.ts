import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionPush } from '@vestibule/protocol/api';
import { EventStreams } from './event-streams.ts';
import { TestingEventSource } from './testing-event-source.ts';
import { TestingServer, toProblem } from './testing-server.ts';

const SOON = { timeout: 10_000 };

let server: TestingServer;
beforeEach(async () => {
  server = await TestingServer.start();
});
afterEach(() => server.close());

describe('a page that listens', () => {
  it('is told the present state first, then every change with its number, then the end', async () => {
    const sessionId = await server.connect();
    server.ports.change(sessionId, 'session_created', {});
    const events = await TestingEventSource.open(server, sessionId);
    expect(events.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    expect(await events.block()).toBe('retry: 1000');
    expect(await events.push()).toMatchObject({ id: '1', session: { status: 'started' }, steps: [{ seq: 1 }] });

    server.ports.change(sessionId, 'credential_stored', { status: 'completed' });
    expect(await events.push()).toMatchObject({ id: '2', session: { status: 'completed' }, steps: [{ seq: 2 }] });

    server.ports.end(sessionId);
    expect(await events.message()).toEqual({ id: null, event: 'end', data: '{}' });
    expect(await events.block()).toBeNull();
    await vi.waitFor(() => expect(server.ports.countListeners(sessionId)).toBe(0), SOON);
  });

  it('resumes after the event it saw last, with nothing missed and nothing twice', async () => {
    const sessionId = await server.connect();
    for (const type of ['session_created', 'vm_creating', 'vm_claimed'] as const)
      server.ports.change(sessionId, type, {});
    const events = await TestingEventSource.open(server, sessionId, '2');
    expect((await events.push()).steps.map(({ seq }) => seq)).toEqual([3]);
    events.close();
  });

  it.each(['x', '-1', '1.5', '9'.repeat(20), '1 or 1=1'])('is refused with Last-Event-ID %s', async (header) => {
    const path = `/v1/auth-sessions/${await server.connect()}/events`;
    const problem = toProblem(await server.send('GET', path, undefined, { 'last-event-id': header }));
    expect(problem).toMatchObject({
      code: 'bad_request',
      detail: 'Last-Event-ID must be the number of an event of this session.',
    });
  });

  it('is forgotten when it leaves, and counted while it is there', async () => {
    const sessionId = await server.connect();
    const events = await TestingEventSource.open(server, sessionId);
    await events.push();
    expect(await server.metrics.text()).toContain('vestibule_event_streams_open 1');
    events.close();
    await vi.waitFor(() => expect(server.ports.countListeners(sessionId)).toBe(0), SOON);
    expect(await server.metrics.text()).toContain('vestibule_event_streams_open 0');
  });
});

describe('one open stream', () => {
  const count = { opened: () => undefined, closed: () => undefined };

  /** A stream to a bare socket, which reads only when told to. */
  async function openStream(streams: EventStreams) {
    const http = createServer((_request, answer) => http.emit('open', answer)).listen(0, '127.0.0.1');
    await once(http, 'listening');
    const socket = connect((http.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [raw] = (await once(http, 'open')) as [ServerResponse];
    const close = () => {
      socket.destroy();
      http.close();
    };
    return { stream: streams.open(raw, {}), raw, socket, close };
  }

  it('to a reader with more than 1 MiB unread is dropped', async () => {
    const streams = new EventStreams(count);
    const { stream, raw, socket, close } = await openStream(streams);
    socket.pause();
    const push = { session: { seq: 1 }, steps: [{ data: { text: 'x'.repeat(100_000) } }] } as unknown as SessionPush;
    let sent = 0;
    for (; !raw.destroyed && sent < 1000; sent += 1) stream.push(push);
    expect(sent).toBeGreaterThan(10);
    expect(raw.destroyed).toBe(true);
    streams.close();
    close();
  });

  it('to a reader that reads nothing is cut without waiting when the server stops', async () => {
    const streams = new EventStreams(count);
    const { stream, raw, socket, close } = await openStream(streams);
    socket.pause();
    const push = { session: { seq: 1 }, steps: [{ data: { text: 'x'.repeat(100_000) } }] } as unknown as SessionPush;
    while (raw.writableLength < 500_000) stream.push(push);
    const closed = once(raw, 'close');
    streams.close();
    await closed;
    close();
    expect(raw.writableFinished).toBe(false);
  });

  it('carries a comment every 15 s, so that proxies keep it', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const streams = new EventStreams(count);
    const { socket, close } = await openStream(streams);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await vi.waitFor(() => expect(text).toContain('retry: 1000\n\n'), SOON);
    vi.advanceTimersByTime(15_000);
    vi.useRealTimers();
    await vi.waitFor(() => expect(text).toContain('\r\n:\n\n'), SOON);
    streams.close();
    close();
  });
});
