import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { deliverCallback } from './callback-delivery.ts';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** Leads on from each path as told, and remembers what it was asked for. */
async function startCli(leads: Readonly<Record<string, string>>): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const location = leads[url.split('?')[0] ?? ''];
    response.writeHead(location === undefined ? 200 : 302, location === undefined ? {} : { location }).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test('the answer reaches the program in one request', async () => {
  const { url, asked } = await startCli({});
  expect(await deliverCallback(`${url}/callback?code=a&state=b`, 'localhost')).toBe('delivered');
  await expect.poll(() => asked).toEqual(['/callback?code=a&state=b']);
});

test('a program that leads on to a page of its own server is asked for it, for it may end only then', async () => {
  const { url, asked } = await startCli({ '/callback': '/success?plan=pro' });
  expect(await deliverCallback(`${url}/callback?code=a`, 'localhost')).toBe('delivered');
  await expect.poll(() => asked).toEqual(['/callback?code=a', '/success?plan=pro']);
});

test('a redirect to another server is not followed', async () => {
  const other = await startCli({});
  const { url, asked } = await startCli({ '/callback': `${other.url}/welcome` });
  await deliverCallback(`${url}/callback?code=a`, 'localhost');
  await expect.poll(() => asked).toHaveLength(1);
  await deliverCallback(`${url}/callback?code=b`, 'localhost');
  await expect.poll(() => asked).toHaveLength(2);
  expect(other.asked).toEqual([]);
});

test('a program that leads in a circle is left after a few pages', async () => {
  const { url, asked } = await startCli({ '/callback': '/callback' });
  await deliverCallback(`${url}/callback`, 'localhost');
  await expect.poll(() => asked).toHaveLength(4);
});

test('nobody who listens is told apart from a program that took it', async () => {
  const { url } = await startCli({});
  closers.splice(0).forEach((close) => close());
  await expect.poll(() => deliverCallback(`${url}/callback`, 'localhost')).toBe('not_listening');
});

test.each(['127.0.0.1', '::1'])('it is found at %s, and keeps the host that the link names', async (address) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.headers.host} ${request.url}`);
    response.end();
  });
  await once(server.listen(0, address), 'listening');
  closers.push(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  expect(await deliverCallback(`http://127.0.0.1:${port}/cb?code=a%2Fb&state=s`, 'localhost:1')).toBe('delivered');
  await expect.poll(() => seen).toEqual(['localhost:1 /cb?code=a%2Fb&state=s']);
});

test('what the CLI answers is not waited for, nor left before it', async () => {
  const requests: IncomingMessage[] = [];
  const server = createServer((request) => void requests.push(request));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  expect(await deliverCallback(`http://127.0.0.1:${port}/cb`, 'localhost')).toBe('delivered');
  await vi.waitUntil(() => requests.length > 0);
  expect(requests[0]?.socket.destroyed).toBe(false);
});
