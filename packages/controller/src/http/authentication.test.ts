import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WRONG_TOKENS_PER_MINUTE } from './authentication.ts';
import { listen } from './listen.ts';
import { COOKIE_NAME } from './operator-auth.ts';
import { createHttpServer } from './server.ts';
import { TOKEN, TestingServer, toProblem } from './testing-server.ts';

const NOBODY = { authorization: '' };
const WRONG = { authorization: 'Bearer wrong-token' };

let server: TestingServer;
beforeEach(async () => {
  server = await TestingServer.start();
});
afterEach(() => server.close());

async function signIn(): Promise<string> {
  const { status, headers } = await server.send('POST', '/v1/operator-session', { token: TOKEN }, NOBODY);
  expect(status).toBe(204);
  const [cookie = ''] = headers['set-cookie'] ?? [];
  return cookie;
}

/** Every method and path the server has, as Fastify itself lists them. */
function findRoutes(): { method: string; path: string }[] {
  const parents: string[] = [];
  const lines = server.api.printRoutes({ commonPrefix: false }).split('\n');
  return lines.flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^([│├└─\s]*)(\S+) \((.+)\)$/.exec(line) ?? [];
    if (methods === '') return [];
    const depth = indent.length / 4 - 1;
    parents.splice(depth, Infinity, part === '*' ? '/any/page' : part);
    const path = parents.join('').replaceAll(/:\w+/g, 'e3b0c442-98fc-4c14-9afb-f4c8996fb924');
    return methods.split(', ').map((method) => ({ method, path }));
  });
}

describe('every route', () => {
  it('refuses a caller without a token, but for the page, the probes, signing in and what takes a ticket', async () => {
    const routes = findRoutes();
    expect(routes.length).toBeGreaterThan(80);
    const open: string[] = [];
    for (const { method, path } of routes) {
      const { status } = await server.send(method, path, undefined, NOBODY);
      if (status !== 401) open.push(`${method} ${path}`);
    }
    expect(open.toSorted()).toEqual([
      'GET /any/page',
      'GET /healthz',
      'GET /readyz',
      'GET /v1/live-view',
      'HEAD /any/page',
      'POST /v1/operator-session',
    ]);
  });

  it.each(['/v1/nothing', '/v1/auth-sessions/x/y/z'])(
    'refuses a caller without a token before saying that %s is unknown',
    async (path) => {
      expect((await server.send('GET', path, undefined, NOBODY)).status).toBe(401);
      expect((await server.send('GET', path)).status).toBe(404);
      expect((await server.send('POST', '/elsewhere', {}, NOBODY)).status).toBe(401);
    },
  );
});

it('authenticates a route whose author forgot to say who may call it', async () => {
  const forgetful = await createHttpServer({
    config: { host: '127.0.0.1', publicUrl: null, peerUrl: null },
    operatorToken: server.token,
    ports: server.ports,
    logger: server.api.log,
    metrics: server.metrics,
    pageDir: null,
    version: '1',
  });
  forgetful.get('/forgotten', () => 'secret');
  const port = await listen(forgetful, { host: '127.0.0.1', port: 0 });
  const answer = await fetch(`http://127.0.0.1:${port}/forgotten`);
  await forgetful.close();
  expect(answer.status).toBe(401);
  expect(await answer.text()).not.toContain('secret');
});

describe('the bearer token', () => {
  it.each([
    WRONG,
    { authorization: TOKEN },
    { authorization: `Basic ${TOKEN}` },
    { authorization: `Bearer ${TOKEN}x` },
    { authorization: 'Bearer ' },
  ])('is refused as %j', async (headers) => {
    const answer = await server.send('GET', '/v1/providers', undefined, headers);
    expect(toProblem(answer).code).toBe('unauthenticated');
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('when wrong, is not rescued by a right cookie', async () => {
    const cookie = await signIn();
    expect((await server.send('GET', '/v1/providers', undefined, { ...WRONG, cookie })).status).toBe(401);
  });
});

describe('the cookie', () => {
  it('is given for the token, kept from scripts and other sites, and opens the API', async () => {
    const cookie = await signIn();
    expect(cookie).toMatch(
      new RegExp(`^${COOKIE_NAME}=\\d+\\.[\\w-]+; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict$`),
    );
    expect((await server.send('GET', '/v1/operator-session', undefined, { ...NOBODY, cookie })).status).toBe(204);
    expect((await server.send('GET', '/v1/providers', undefined, { ...NOBODY, cookie })).status).toBe(200);
  });

  it('is dropped by DELETE', async () => {
    const cookie = await signIn();
    const answer = await server.send('DELETE', '/v1/operator-session', undefined, {
      ...NOBODY,
      cookie,
      origin: server.origin,
    });
    expect(answer.status).toBe(204);
    expect(answer.headers['set-cookie']?.[0]).toMatch(new RegExp(`^${COOKIE_NAME}=; .*Expires=Thu, 01 Jan 1970`));
  });

  it('changes nothing for a request that names no page it comes from', async () => {
    const cookie = await signIn();
    const body = { userId: 'ada', provider: 'demo' };
    const bare = await server.send('POST', '/v1/auth-sessions', body, { ...NOBODY, cookie });
    expect(toProblem(bare).code).toBe('forbidden_origin');
    const own = await server.send('POST', '/v1/auth-sessions', body, { ...NOBODY, cookie, origin: server.origin });
    expect(own.status).toBe(201);
  });
});

describe('guessing tokens', () => {
  it('is stopped after 10 a minute from one address, on both ways in, and never stops the right token', async () => {
    for (let guess = 0; guess < WRONG_TOKENS_PER_MINUTE; guess += 1) {
      const answer =
        guess % 2 === 0
          ? await server.send('GET', '/v1/providers', undefined, WRONG)
          : await server.send('POST', '/v1/operator-session', { token: 'wrong' }, NOBODY);
      expect(answer.status).toBe(401);
    }
    const refused = await server.send('POST', '/v1/operator-session', { token: 'wrong' }, NOBODY);
    expect(toProblem(refused).code).toBe('rate_limited');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await server.send('GET', '/v1/providers', undefined, WRONG)).status).toBe(429);

    expect((await server.send('GET', '/v1/providers')).status).toBe(200);
    await signIn();
    expect((await server.send('GET', '/v1/providers', undefined, NOBODY)).status).toBe(401);
  });

  it('is counted against the address the connection comes from: X-Forwarded-For is not believed without a proxy', async () => {
    for (let guess = 0; guess <= WRONG_TOKENS_PER_MINUTE; guess += 1)
      await server.send('GET', '/v1/providers', undefined, { ...WRONG, 'x-forwarded-for': `10.0.0.${guess}` });
    expect(
      (await server.send('GET', '/v1/providers', undefined, { ...WRONG, 'x-forwarded-for': '10.0.1.1' })).status,
    ).toBe(429);
  });
});
