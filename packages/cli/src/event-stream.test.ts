import { afterEach, expect, test } from 'vitest';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FetchEventStream } from './event-stream.ts';
import { close, serve, type TestServer } from './testing-server.ts';

const opened: { stream?: FetchEventStream; server?: TestServer }[] = [];
afterEach(async () => {
  for (const { stream, server } of opened.splice(0)) {
    stream?.close();
    if (server !== undefined) await close(server);
  }
});

type Told = { type: string; data?: string; readyState: number };

/** Follows a server that answers the nth connection with the nth script; resolves `until` once the stream told so much. */
async function follow(
  scripts: ((request: IncomingMessage, response: ServerResponse) => void)[],
  options: { silenceMs?: number } = {},
): Promise<{ told: Told[]; until: (count: number) => Promise<Told[]>; stream: FetchEventStream }> {
  let connection = 0;
  const server = await serve((request, response) => {
    const script = scripts[Math.min(connection, scripts.length - 1)];
    connection += 1;
    script?.(request, response);
  });
  const stream = new FetchEventStream(`${server.origin}/events`, {
    headers: { authorization: 'Bearer x' },
    ...options,
  });
  opened.push({ server, stream });
  const told: Told[] = [];
  let wake: () => void = () => undefined;
  for (const type of ['open', 'error', 'session', 'end'])
    stream.addEventListener(type, ({ data }) => {
      told.push({ type, ...(typeof data === 'string' ? { data } : {}), readyState: stream.readyState });
      wake();
    });
  const until = async (count: number): Promise<Told[]> => {
    while (told.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return told;
  };
  return { told, until, stream };
}

const HEAD = { 'content-type': 'text/event-stream; charset=utf-8' };

test('a stream that drops is opened again, with the last id it read and its headers', async () => {
  const headers: unknown[] = [];
  const { until } = await follow([
    (request, response) => {
      headers.push([request.headers['last-event-id'], request.headers.authorization]);
      response.writeHead(200, HEAD);
      response.write('retry: 1\n\nid: 4\nevent: session\ndata: one\n\n');
      setImmediate(() => response.destroy());
    },
    (request, response) => {
      headers.push([request.headers['last-event-id'], request.headers.authorization]);
      response.writeHead(200, HEAD);
      response.write('id: 5\nevent: session\ndata: two\n\nid: 5\nevent: end\ndata: {}\n\n');
    },
  ]);
  expect((await until(6)).map(({ type, data }) => (data === undefined ? type : `${type} ${data}`))).toEqual([
    'open',
    'session one',
    'error',
    'open',
    'session two',
    'end {}',
  ]);
  expect(headers).toEqual([
    [undefined, 'Bearer x'],
    ['4', 'Bearer x'],
  ]);
});

test('a server that is away for a moment is asked again; one that refuses is not', async () => {
  const { until, stream } = await follow([
    (_request, response) => void response.writeHead(503).end(),
    (_request, response) => void response.writeHead(401, { 'content-type': 'application/json' }).end('{}'),
  ]);
  const told = await until(2);
  expect(told).toEqual([
    { type: 'error', readyState: 0 },
    { type: 'error', readyState: 2 },
  ]);
  expect(stream.readyState).toBe(2);
});

test('a connection that says nothing any more counts as lost, and another one is opened', async () => {
  let again: () => void = () => undefined;
  const second = new Promise<void>((resolve) => (again = resolve));
  const silent = (response: ServerResponse): void => {
    response.writeHead(200, HEAD);
    response.write('retry: 1\n\n');
  };
  const { told } = await follow(
    [
      (_request, response) => silent(response),
      (_request, response) => {
        silent(response);
        again();
      },
    ],
    { silenceMs: 200 },
  );
  await second;
  expect(told).toContainEqual({ type: 'error', readyState: 0 });
});

test('an answer that is no event stream is refused', async () => {
  const { until } = await follow([
    (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
  ]);
  expect(await until(1)).toEqual([{ type: 'error', readyState: 2 }]);
});
