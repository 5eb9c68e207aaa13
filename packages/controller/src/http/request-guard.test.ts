import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN, TestingServer, findUpgradeRefusal, toProblem } from './testing-server.ts';

let server: TestingServer;
beforeAll(async () => {
  server = await TestingServer.start();
});
afterAll(() => server.close());

describe('DNS rebinding', () => {
  it.each([
    'evil.example',
    'evil.example:7080',
    '127.0.0.1',
    '127.0.0.1:1',
    'localhost.evil.example',
    'vestibule@evil.example',
  ])('is refused: Host "%s"', async (host) => {
    for (const path of ['/', '/v1/providers', '/openapi.json', '/metrics']) {
      const answer = await server.send('GET', path, undefined, { host });
      expect(toProblem(answer).code).toBe('forbidden_origin');
      expect(answer.headers['content-security-policy']).not.toContain('evil');
    }
  });

  it('is refused when there is no Host at all', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.end(`GET /v1/providers HTTP/1.0\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1.1 403 [^]*"code":"forbidden_origin"/);
  });

  it.each(['localhost', '127.0.0.1', '[::1]', 'LOCALHOST'])(
    'is not what asking %s on our own port is',
    async (name) => {
      expect((await server.send('GET', '/v1/providers', undefined, { host: `${name}:${server.port}` })).status).toBe(
        200,
      );
    },
  );

  it('learns nothing from the probes, which machines ask by any name', async () => {
    const { status, text } = await server.send('GET', '/healthz', undefined, {
      host: '10.1.2.3:80',
      authorization: '',
    });
    expect([status, text]).toEqual([200, '{"status":"ok"}']);
  });
});

describe("another site's page", () => {
  const foreign = ['https://evil.example', 'null', 'http://localhost:1', 'https://localhost'];

  it.each(foreign)('cannot change anything: Origin %s', async (origin) => {
    const answer = await server.send('POST', '/v1/auth-sessions', { userId: 'eve', provider: 'demo' }, { origin });
    expect(toProblem(answer).code).toBe('forbidden_origin');
    expect(await server.ports.sessions.list('eve')).toEqual([]);
  });

  it.each([...foreign, undefined])(
    'cannot open a live view, and does not use up the ticket: Origin %s',
    async (origin) => {
      const ticket = await server.ticket(await server.connect(`u-${String(origin).replaceAll(/\W/g, '')}`));
      const url = `ws://127.0.0.1:${server.port}/v1/live-view?ticket=${ticket}`;
      expect(await findUpgradeRefusal(url, origin)).toEqual({ status: 403, code: 'forbidden_origin' });
      (await server.view(ticket)).terminate();
    },
  );

  it('cannot upgrade any other path either', async () => {
    const url = `ws://127.0.0.1:${server.port}/v1/providers`;
    expect(await findUpgradeRefusal(url, 'https://evil.example')).toEqual({ status: 403, code: 'forbidden_origin' });
    expect(await findUpgradeRefusal(url, server.origin)).toEqual({ status: 401, code: 'unauthenticated' });
  });

  it.each(['localhost', '127.0.0.1', '[::1]'])(
    'is not a program with the token, nor our own page at %s',
    async (name) => {
      const body = { userId: `own-${name.replaceAll(/\W/g, '')}`, provider: 'demo' };
      expect((await server.send('POST', '/v1/auth-sessions', body)).status).toBe(201);
      const origin = `http://${name}:${server.port}`;
      expect((await server.send('POST', '/v1/auth-sessions', body, { origin })).status).toBe(200);
    },
  );
});

it('sends the security headers with every answer, also with errors', async () => {
  const answers = [
    await server.send('GET', '/v1/providers'),
    await server.send('GET', '/v1/nothing'),
    await server.send('GET', '/v1/users/%zz/credentials'),
    await server.send('GET', '/', undefined, { host: 'evil.example' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 400, 403]);
  for (const { headers } of answers) {
    const policy = headers['content-security-policy'];
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "form-action 'none'",
      "base-uri 'none'",
    ])
      expect(policy).toContain(rule);
    expect(policy).not.toContain('unsafe');
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
  }
  expect(answers[0]?.headers['content-security-policy']).toContain(`connect-src 'self' ws://127.0.0.1:${server.port};`);
});
