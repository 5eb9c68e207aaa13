import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createRawServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { deliverCallback } from './callback-delivery.ts';

async function listen(server: Server, address: string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

test.each(['127.0.0.1', '::1'])('makes one request to %s, and follows no redirect', async (address) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.headers.host} ${request.url}`);
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  const port = await listen(server, address);
  await expect(deliverCallback(`http://127.0.0.1:${port}/cb?code=a%2Fb&state=s`, 'localhost:1')).resolves.toBe(
    'delivered',
  );
  await vi.waitUntil(() => seen.length > 0);
  server.closeIdleConnections();
  expect(seen).toEqual(['localhost:1 /cb?code=a%2Fb&state=s']);
});

test('does not wait for what the CLI answers, nor leave before it', async () => {
  const requests: IncomingMessage[] = [];
  const server = createServer((request) => void requests.push(request));
  const port = await listen(server, '127.0.0.1');
  await expect(deliverCallback(`http://127.0.0.1:${port}/cb`, 'localhost')).resolves.toBe('delivered');
  await vi.waitUntil(() => requests.length > 0);
  expect(requests[0]?.socket.destroyed).toBe(false);
});

test('says when nobody listens', async () => {
  const server = createRawServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await expect(deliverCallback(`http://127.0.0.1:${port}/cb`, 'localhost')).resolves.toBe('not_listening');
});
