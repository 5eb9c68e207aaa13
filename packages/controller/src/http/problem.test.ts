import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '@vestibule/protocol/errors';
import { toProblem as describeError } from './problem.ts';
import { TOKEN, TestingServer, toProblem } from './testing-server.ts';

const CANARY = 'canary-5b1e9d7740aa';
const START = '/v1/auth-sessions';
const UNKNOWN_ID = '7d9c3f0a-52c1-4d3b-9f1e-0a1b2c3d4e5f';

let server: TestingServer;
beforeEach(async () => {
  server = await TestingServer.start();
});
afterEach(() => server.close());

async function findProblem(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
  return toProblem(await server.send(method, path, body, headers));
}

describe('what a caller gets wrong', () => {
  it('an unknown provider is named as such, with the ones there are', async () => {
    const problem = await findProblem('POST', START, { userId: 'ada', provider: 'nope' });
    expect(problem).toMatchObject({ status: 404, code: 'unknown_provider', detail: 'Known providers: demo.' });
  });

  it.each(['{"userId": "ada",', 'null,', '<xml/>', '\u0000'])(
    'malformed JSON is said to be malformed: %j',
    async (body) => {
      expect(await findProblem('POST', START, body)).toMatchObject({
        code: 'bad_request',
        detail: 'The body is not JSON.',
      });
    },
  );

  it('every wrong field is listed by its path', async () => {
    const problem = await findProblem('POST', START, { userId: 'a b', mode: 'magic', supersede: 'yes', extra: 1 });
    expect(problem.code).toBe('bad_request');
    for (const part of ['body.userId: ', 'body.provider: ', 'body.mode: ', 'body.supersede: ', 'unknown field: extra'])
      expect(problem.detail).toContain(part);
  });

  it('an unknown query setting is refused, not ignored', async () => {
    const problem = await findProblem('GET', `${START}?userId=ada&limit=5`);
    expect(problem).toMatchObject({ code: 'bad_request', detail: 'querystring: has an unknown field: limit' });
  });

  it('a body that is missing, no object, or of another type is refused', async () => {
    expect((await findProblem('POST', START)).code).toBe('bad_request');
    expect((await findProblem('POST', START, '[]')).code).toBe('bad_request');
    const form = await findProblem('POST', START, 'userId=ada', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(form.code).toBe('unsupported_media_type');
    const text = await findProblem('POST', START, '{}', { 'content-type': 'text/plain' });
    expect(text.code).toBe('unsupported_media_type');
  });

  it("another's or no session id is not found, a broken one is bad", async () => {
    for (const path of ['', '/timeline', '/events', '/machine-log']) {
      expect((await findProblem('GET', `${START}/${UNKNOWN_ID}${path}`)).code).toBe('session_not_found');
      expect(await findProblem('GET', `${START}/1${path}`)).toMatchObject({
        code: 'bad_request',
        detail: 'params.sessionId: Invalid UUID',
      });
    }
    for (const path of ['/cancel', '/live-view-tickets'])
      expect((await findProblem('POST', `${START}/${UNKNOWN_ID}${path}`)).code).toBe('session_not_found');
  });

  it('an answer of more than 8192 characters is refused, and one of more than 64 KiB not even read', async () => {
    const path = `${START}/${await server.connect()}/answer`;
    const long = await findProblem('POST', path, { text: 'x'.repeat(8193) });
    expect(long.detail).toBe('body.text: Too big: expected string to have <=8192 characters');
    const huge = await findProblem('POST', path, { text: 'x'.repeat(70_000) });
    expect(huge).toMatchObject({
      status: 413,
      code: 'too_large',
      detail: 'The request body is larger than this address takes.',
    });
    expect(server.ports.answersGiven).toEqual([]);
  });

  it('a method that a path does not have is refused with those it has', async () => {
    const answer = await server.send('PUT', START, '{broken');
    expect(toProblem(answer).code).toBe('method_not_allowed');
    expect(answer.headers.allow).toBe('GET, POST');
  });

  it('a broken or endless path is refused', async () => {
    expect((await findProblem('GET', '/v1/users/%zz/credentials')).detail).toBe(
      'The path has a broken percent escape.',
    );
    expect((await findProblem('GET', `/v1/users/${'a'.repeat(700)}/credentials`)).code).toBe('not_found');
    expect((await findProblem('GET', `/v1/users/${'a'.repeat(201)}/credentials`)).detail).toContain('params.userId');
  });

  it('what is not HTTP gets a problem too', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.end(`NOT HTTP ${CANARY}\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[^]*"code":"bad_request"/);
    expect(text).not.toContain(CANARY);
  });
});

describe('what goes wrong here', () => {
  it('an unexpected error shows nothing of itself, and is logged under the request id the caller sees', async () => {
    server.ports.unexpected = new Error('relation "auth_sessions" does not exist');
    const answer = await server.send('GET', '/v1/providers');
    const problem = toProblem(answer);
    expect(problem).toEqual({
      type: 'urn:vestibule:error:internal',
      title: 'Something went wrong on the server',
      status: 500,
      code: 'internal',
      requestId: answer.headers['x-request-id'],
    });
    const line = server.logLines.find((one) => one.includes('request failed'));
    expect(line).toContain('relation \\"auth_sessions\\" does not exist');
    expect(line).toContain(problem.requestId);
  });

  it('the probe says that it is not ready, and not why', async () => {
    server.ports.isReady = false;
    const answer = await server.send('GET', '/readyz', undefined, { authorization: '' });
    expect(toProblem(answer).code).toBe('not_ready');
    expect(answer.text).not.toContain('10.0.0.7');
  });

  it('no 5xx carries a detail, whatever was thrown', () => {
    expect(describeError(new AppError('capacity', CANARY))).not.toHaveProperty('detail');
    expect(describeError(new AppError('session_ended', 'It ended.'))).toHaveProperty('detail', 'It ended.');
  });
});

it('secrets that callers send come back in no error and stand in no log line', async () => {
  const sessionId = await server.connect();
  const attempts: [string, string, unknown, Record<string, string>][] = [
    ['POST', START, { userId: `${CANARY} /`, provider: CANARY, mode: CANARY }, {}],
    ['POST', START, { userId: 'ada', provider: CANARY }, {}],
    ['POST', START, { [`${CANARY}-key`]: 1 }, {}],
    ['POST', START, `{"token": "${CANARY}`, {}],
    ['POST', '/v1/operator-session', { token: CANARY }, { authorization: '' }],
    ['GET', '/v1/providers', undefined, { authorization: `Bearer ${CANARY}` }],
    ['GET', '/v1/providers', undefined, { authorization: '', cookie: `vestibule_operator=${CANARY}` }],
    ['GET', `/v1/live-view?ticket=${CANARY}`, undefined, { authorization: '' }],
    ['GET', `${START}/${sessionId}/events`, undefined, { 'last-event-id': CANARY }],
    ['POST', `${START}/${sessionId}/answer`, { text: CANARY }, {}],
    ['GET', `/v1/nothing/${CANARY}?token=${CANARY}`, undefined, {}],
  ];
  for (const [method, path, body, headers] of attempts) {
    const answer = await server.send(method, path, body, headers);
    expect(JSON.stringify(answer)).not.toContain(CANARY);
  }
  expect(server.logLines.length).toBeGreaterThanOrEqual(attempts.length);
  expect(server.logLines.join('')).not.toContain(CANARY);
  expect(server.logLines.join('')).not.toContain(TOKEN);
});
