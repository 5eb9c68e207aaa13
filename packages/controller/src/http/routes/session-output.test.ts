import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { outputSchema } from '@vestibule/protocol/api';
import { createClient } from '@vestibule/protocol/client';
import { ROUTES } from '@vestibule/protocol/routes';
import { TestingEventSource } from '../testing-event-source.ts';
import { TestingServer, toProblem } from '../testing-server.ts';

const SOON = { timeout: 10_000 };

let server: TestingServer;
beforeEach(async () => {
  server = await TestingServer.start();
});
afterEach(() => server.close());

const follow = (sessionId: string, lastEventId?: string): Promise<TestingEventSource> =>
  TestingEventSource.open(server, sessionId, lastEventId, 'output');

it('is answered whole as JSON', async () => {
  const sessionId = await server.connect();
  server.ports.write('Welcome\r\n');
  const answer = await server.send('GET', ROUTES.output(sessionId));
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
  });
  expect(outputSchema.parse(JSON.parse(answer.text))).toEqual({ chunks: [{ n: 1, text: 'Welcome\r\n' }] });
});

it('is followed as server-sent events when the reader asks for those, to the end', async () => {
  const sessionId = await server.connect();
  server.ports.write('one');
  const events = await follow(sessionId);
  expect(events.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  expect(await events.message()).toEqual({ id: '1', event: 'output', data: '{"n":1,"text":"one"}' });
  server.ports.write('two\n\nid: 9\ndata: forged');
  const { id, data } = (await events.message())!;
  expect([id, JSON.parse(data)]).toEqual(['2', { n: 2, text: 'two\n\nid: 9\ndata: forged' }]);
  server.ports.endOutput();
  expect(await events.message()).toEqual({ id: null, event: 'end', data: '{}' });
  expect(await events.block()).toBeNull();
  await vi.waitFor(() => expect(server.ports.countOnlookers()).toBe(0), SOON);
});

it('resumes after the chunk that was seen last, and a number beyond all is none of ours', async () => {
  const sessionId = await server.connect();
  for (const text of ['one', 'two', 'three']) server.ports.write(text);
  const events = await follow(sessionId, '2');
  expect(await events.message()).toMatchObject({ id: '3' });
  events.close();
  const beyond = await follow(sessionId, '999999999999999');
  expect(await beyond.block()).toBe('retry: 1000');
  beyond.close();
});

it('that cannot be read on is cut, so that the reader comes again', async () => {
  const events = await follow(await server.connect());
  expect(await events.block()).toBe('retry: 1000');
  server.ports.breakOutput();
  await expect(events.block()).rejects.toThrow('aborted');
});

it('of a session that is not there is a problem, however it is asked for', async () => {
  const path = ROUTES.output('00000000-0000-4000-8000-000000000000');
  for (const accept of ['application/json', 'text/event-stream'])
    expect(toProblem(await server.send('GET', path, undefined, { accept }))).toMatchObject({
      code: 'session_not_found',
    });
  const wrong = { accept: 'text/event-stream', 'last-event-id': '1 or 1=1' };
  expect(toProblem(await server.send('GET', path, undefined, wrong))).toMatchObject({ code: 'bad_request' });
});

it('is shown to the operator alone', async () => {
  const sessionId = await server.connect();
  for (const path of [ROUTES.output(sessionId), ROUTES.offer(sessionId)])
    expect((await server.send('GET', path, undefined, { authorization: '' })).status).toBe(401);
});

it('is read by the client', async () => {
  const sessionId = await server.connect();
  server.ports.write('one');
  const client = createClient({
    baseUrl: server.origin,
    headers: { authorization: `Bearer ${server.token.reveal()}` },
  });
  expect(await client.readOutput(sessionId)).toEqual([{ n: 1, text: 'one' }]);
});
