import { afterEach, beforeEach, expect, it } from 'vitest';
import { createClient } from '@vestibule/protocol/client';
import { ROUTES } from '@vestibule/protocol/routes';
import { TOKEN, TestingServer, toProblem } from '../testing-server.ts';

let server: TestingServer;
beforeEach(async () => {
  server = await TestingServer.start();
});
afterEach(() => server.close());

it('is answered as text that no browser takes for a page', async () => {
  const sessionId = await server.connect();
  server.ports.machineLog = '<script>alert(1)</script>\n';
  const answer = await server.send('GET', ROUTES.machineLog(sessionId));
  expect(answer.text).toBe(server.ports.machineLog);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  const client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${TOKEN}` } });
  expect(await client.readMachineLog(sessionId)).toBe(server.ports.machineLog);
});

it('is the operator’s alone, and says in words that there is none', async () => {
  const sessionId = await server.connect();
  const none = await server.send('GET', ROUTES.machineLog(sessionId));
  expect(toProblem(none)).toMatchObject({ code: 'machine_log_not_found', status: 404 });
  const anybody = await server.send('GET', ROUTES.machineLog(sessionId), undefined, { authorization: '' });
  expect(toProblem(anybody).code).toBe('unauthenticated');
});
