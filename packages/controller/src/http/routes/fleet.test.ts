import { afterEach, beforeEach, expect, it } from 'vitest';
import { createClient } from '@vestibule/protocol/client';
import { ROUTES } from '@vestibule/protocol/routes';
import { TOKEN, TestingServer, toProblem } from '../testing-server.ts';

let server: TestingServer;
beforeEach(async () => {
  server = await TestingServer.start();
});
afterEach(() => server.close());

const left = { vmId: 'vm_a_1', remains: [{ kind: 'cgroup', name: 'vm_a_1' }] };

it('tells what is left, and removes it', async () => {
  server.ports.left = [left];
  const client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${TOKEN}` } });
  expect(await client.findLeftovers()).toEqual({ hostId: 'host_a', leftovers: [left] });
  expect(await client.removeLeftovers()).toEqual({ hostId: 'host_a', found: [left], remaining: [] });
  expect(await client.findLeftovers()).toEqual({ hostId: 'host_a', leftovers: [] });
});

it('is the operator’s alone', async () => {
  for (const method of ['GET', 'DELETE'] as const) {
    const answer = await server.send(method, ROUTES.leftovers, undefined, { authorization: '' });
    expect(toProblem(answer).code).toBe('unauthenticated');
  }
});
