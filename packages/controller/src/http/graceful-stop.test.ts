import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestingEventSource } from './testing-event-source.ts';
import { TestingServer } from './testing-server.ts';

/** Longer than any of these need, shorter than the time a connection is kept for the next request. */
const STOP_MS = 10_000;

let server: TestingServer;
beforeEach(async () => {
  server = await TestingServer.start();
});
afterEach(() => server.close());

describe('a server that stops', { timeout: STOP_MS }, () => {
  it('is not held up by a page that listens: the stream ends without "end", so that the page comes back', async () => {
    const events = await TestingEventSource.open(server, await server.connect());
    await events.push();
    await server.close();
    expect(await events.message().catch(() => null)).toBeNull();
  });

  it('is not held up by a connection on which nobody asked anything, as browsers open ahead of time', async () => {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const ended = once(socket.resume(), 'close');
    await Promise.all([server.close(), ended]);
    expect(socket.destroyed).toBe(true);
  });

  it('answers the request under way, and does not keep its connection for another', async () => {
    const events = await TestingEventSource.open(server, await server.connect());
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      server.ports.ready = () => {
        resolve();
        return new Promise((done) => {
          answer = done;
        });
      };
    });
    const agent = new Agent({ keepAlive: true });
    const sent = request({ host: '127.0.0.1', port: server.port, path: '/readyz', agent }).end();
    const answered = once(sent, 'response');
    await asked;
    const closed = server.close();
    while ((await events.block().catch(() => null)) !== null);
    answer();
    const [response] = (await answered) as [IncomingMessage];
    response.resume();
    await closed;
    agent.destroy();
    expect(response.statusCode).toBe(200);
    expect(response.headers.connection).toBe('close');
  });
});
