import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import type { EventStream, PushListener } from './client.ts';
import { createClient } from './client.ts';
import { AppError } from './errors.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A real server that answers every request the same way; returns its base URL. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serveJson(status: number, body: unknown): Promise<string> {
  return serve((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

async function toError(promise: Promise<unknown>): Promise<AppError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return error;
  throw new Error(`expected an AppError, got ${String(error)}`);
}

test("a problem's code and detail reach the caller", async () => {
  const problem = { type: 'about:blank', title: 'No room', status: 503, code: 'capacity', detail: 'Two run already.' };
  const error = await toError(createClient({ baseUrl: await serveJson(503, problem) }).listProviders());
  expect([error.code, error.detail]).toEqual(['capacity', 'Two run already.']);
});

test('an answer in an unknown form is refused, not passed on', async () => {
  for (const body of [{ sessionId: 'not a session' }, '<html>', '']) {
    const client = createClient({ baseUrl: await serveJson(200, body) });
    expect((await toError(client.getSession('x'))).code).toBe('internal');
  }
});

test('an error page of something in between is a problem with a known code', async () => {
  const client = createClient({ baseUrl: await serveJson(502, '<html>Bad gateway</html>') });
  expect((await toError(client.listProviders())).code).toBe('not_ready');
});

test('a server that cannot be reached says what to check', async () => {
  const baseUrl = await serveJson(200, {});
  servers.splice(0).forEach((server) => server.close());
  const error = await toError(createClient({ baseUrl }).listProviders());
  expect(error.code).toBe('not_ready');
  expect(error.detail).toContain('Vestibule is running');
});

test('being signed out is an answer, not an error', async () => {
  const problem = { type: 'about:blank', title: 'Sign in first', status: 401, code: 'unauthenticated' };
  expect(await createClient({ baseUrl: await serveJson(401, problem) }).isSignedIn()).toBe(false);
  expect(await createClient({ baseUrl: await serveJson(200, {}) }).isSignedIn()).toBe(true);
});

test('ids from outside cannot leave their place in the path', async () => {
  const paths: (string | undefined)[] = [];
  const baseUrl = await serve((request, response) => {
    paths.push(request.url);
    response.writeHead(204, { connection: 'close' });
    response.end();
  });
  await createClient({ baseUrl }).revokeCredential('../x', 'a/b?c');
  expect(paths).toEqual(['/v1/users/..%2Fx/credentials/a%2Fb%3Fc']);
});

/** The stream a browser would have opened, driven by the test. */
class TestStream extends EventTarget {
  readyState = 1;
  close(): void {
    this.readyState = 2;
  }
  tell(type: string, data?: unknown): void {
    this.dispatchEvent(Object.assign(new Event(type), { data }));
  }
}

function subscribe(): { stream: TestStream; heard: string[] } {
  const stream = new TestStream();
  const heard: string[] = [];
  const listener: PushListener = {
    onOpen: () => heard.push('open'),
    onPush: () => heard.push('push'),
    onEnd: () => heard.push('end'),
    onDrop: (resumes) => heard.push(resumes ? 'drop, resumes' : 'drop'),
  };
  createClient({ openEvents: () => stream as EventStream }).subscribe('id', listener);
  return { stream, heard };
}

test('the end of a stream closes it, so that the browser does not open it again', () => {
  const { stream, heard } = subscribe();
  stream.tell('open');
  stream.tell('end', '{}');
  expect(heard).toEqual(['open', 'end']);
  expect(stream.readyState).toBe(2);
});

test('a lost connection is told apart from a stream that gave up', () => {
  const { stream, heard } = subscribe();
  stream.readyState = 0;
  stream.tell('error');
  stream.readyState = 2;
  stream.tell('error');
  expect(heard).toEqual(['drop, resumes', 'drop']);
});

test('a push that is no push ends the stream instead of reaching the page', () => {
  for (const data of ['not json', '{"session":{"status":"completed"},"steps":[]}']) {
    const { stream, heard } = subscribe();
    stream.tell('session', data);
    expect(heard).toEqual(['drop']);
    expect(stream.readyState).toBe(2);
  }
});
