import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { listenForCallback, type CallbackListener, type CallbackListenerOptions } from './callback-listener.ts';
import { close, findFreePort, serve } from './testing-server.ts';

const listeners: CallbackListener[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
});

type Listening = { port: number; listener: CallbackListener; taken: string[]; refused: string[] };
const LINK = 'https://sign-in.example.test/authorize?state=s-1&redirect_uri=';

async function listen(
  take: CallbackListenerOptions['take'] = async () => ({
    isGood: true,
    title: 'Connected',
    words: 'As ada@example.test.',
  }),
  port?: number,
): Promise<Listening> {
  const given = port ?? (await findFreePort());
  const taken: string[] = [];
  const refused: string[] = [];
  const listener = await listenForCallback({
    offer: { url: LINK, callback: { port: given, path: '/auth/callback' } },
    take: async (address) => {
      taken.push(address);
      return take(address);
    },
    onRefused: (words) => refused.push(words),
  });
  if ('problem' in listener) throw new Error(listener.words);
  listeners.push(listener);
  return { port: given, listener, taken, refused };
}

type Answer = { status: number; text: string; headers: Record<string, unknown> };
type Asked = { method?: string; host?: string; address?: string };

/** With Node's own client: fetch does not let a Host header be given. */
function ask(port: number, path: string, { method = 'GET', host, address = '127.0.0.1' }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: address, port, path, method, headers: { host: host ?? `localhost:${port}` } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
        response.once('error', reject);
      },
    );
    asked.once('error', reject);
    asked.end();
  });
}

const RIGHT = '/auth/callback?code=c%2F1&state=s-1';

test('the right request is passed on once, as the address that the program expects, and the browser is told how it went', async () => {
  const { port, taken } = await listen();
  const { status, text, headers } = await ask(port, RIGHT);
  expect(taken).toEqual([`http://127.0.0.1:${port}/auth/callback?code=c%2F1&state=s-1`]);
  expect(status).toBe(200);
  expect(text).toContain('Connected');
  expect(text).toContain('As ada@example.test.');
  expect([headers['cache-control'], headers['referrer-policy']]).toEqual(['no-store', 'no-referrer']);
});

test('the page holds neither the code nor the state, and forgets the address', async () => {
  const { port } = await listen();
  const { text } = await ask(port, RIGHT);
  expect(text).not.toMatch(/c%2F1|c\/1|s-1/);
  expect(text).toContain('history.replaceState');
});

test('a second request is refused, whether the first is still being passed on or done', async () => {
  let end: () => void = () => undefined;
  const { port, taken } = await listen(
    () =>
      new Promise((resolve) => {
        end = () => resolve({ isGood: true, title: 'Connected', words: '' });
      }),
  );
  const first = ask(port, RIGHT);
  while (taken.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect((await ask(port, RIGHT)).status).toBe(409);
  end();
  expect((await first).status).toBe(200);
  expect((await ask(port, RIGHT)).status).toBe(409);
  expect(taken).toHaveLength(1);
});

test('stray requests change nothing, and the right one is still taken after them', async () => {
  const { port, taken, refused } = await listen();
  expect((await ask(port, '/favicon.ico')).status).toBe(404);
  expect((await ask(port, '/')).status).toBe(404);
  expect((await ask(port, '/auth/callback/more?code=c&state=s-1')).status).toBe(404);
  expect((await ask(port, '/auth/callback')).status).toBe(400);
  expect((await ask(port, RIGHT, { method: 'POST' })).status).toBe(405);
  expect(taken).toEqual([]);
  expect(refused).toHaveLength(1);
  expect((await ask(port, RIGHT)).status).toBe(200);
});

test('attack: an answer with the state of another sign-in is refused', async () => {
  const { port, taken, refused } = await listen();
  for (const query of ['?code=evil&state=s-2', '?code=evil', '?code=evil&state=', '?error=access_denied&state=s-2']) {
    const { status } = await ask(port, `/auth/callback${query}`);
    expect(status).toBe(400);
  }
  expect(taken).toEqual([]);
  expect(refused[0]).toMatch(/another sign-in/);
});

test('attack: a page elsewhere whose name was made to mean this machine is refused', async () => {
  const { port, taken } = await listen();
  for (const host of ['evil.example.test', `evil.example.test:${port}`, `localhost.evil.test:${port}`, 'localhost:1'])
    expect((await ask(port, RIGHT, { host })).status).toBe(421);
  expect(taken).toEqual([]);
});

test('a denial with the right state is passed on too: the program says what it means', async () => {
  const { port, taken } = await listen(async () => ({
    isGood: false,
    title: 'Not connected',
    words: 'It was <denied>.',
  }));
  const { text } = await ask(port, '/auth/callback?error=access_denied&state=s-1');
  expect(taken).toHaveLength(1);
  expect(text).toContain('It was &lt;denied&gt;.');
});

test('an answer that was not taken may be given again', async () => {
  let tries = 0;
  const { port, taken } = await listen(async () => {
    tries += 1;
    return { isGood: tries > 1, title: tries > 1 ? 'Connected' : 'Not taken', words: '', again: tries === 1 };
  });
  await ask(port, RIGHT);
  await ask(port, RIGHT);
  expect(taken).toHaveLength(2);
});

test('both loopback addresses are listened on where there are two', async () => {
  const { port, listener, taken } = await listen();
  for (const address of listener.addresses) {
    const host = address.startsWith('[') ? '::1' : '127.0.0.1';
    await ask(port, RIGHT, { address: host, host: address });
  }
  expect(listener.addresses[0]).toBe(`127.0.0.1:${port}`);
  expect(taken).toHaveLength(1);
});

test('a port that another program holds is told in words, and nothing is listened on', async () => {
  const other = await serve(() => undefined);
  const found = await listenForCallback({
    offer: { url: LINK, callback: { port: other.port, path: '/auth/callback' } },
    take: async () => ({ isGood: true, title: '', words: '' }),
  });
  expect(found).toEqual({
    problem: 'in_use',
    words: `Port ${other.port} is in use by another program on this machine.`,
  });
  await close(other);
  // Nothing of this one is left on the other address either.
  await listen(undefined, other.port);
});

test('closing waits for the answer that is being sent', async () => {
  let end: () => void = () => undefined;
  const { port, listener, taken } = await listen(
    () =>
      new Promise((resolve) => {
        end = () => resolve({ isGood: true, title: 'Connected', words: '' });
      }),
  );
  const answer = ask(port, RIGHT);
  while (taken.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = listener.close();
  end();
  await closed;
  expect((await answer).text).toContain('Connected');
});
