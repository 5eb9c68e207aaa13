import { afterAll, beforeAll, expect, it } from 'vitest';
import { credentialListSchema } from '@vestibule/protocol/api';
import { ROUTES } from '@vestibule/protocol/routes';
import { TestingServer, toProblem } from '../testing-server.ts';

let server: TestingServer;
beforeAll(async () => {
  server = await TestingServer.start();
});
afterAll(() => server.close());

it('lists what is stored, and lets no field through that the contract does not name', async () => {
  const answer = await server.send('GET', ROUTES.credentials('ada@example.org'));
  expect(credentialListSchema.parse(JSON.parse(answer.text)).credentials[0]?.userId).toBe('ada@example.org');
  expect(answer.text).not.toContain('canary-sealed-bytes');
});

it('erases one, and says when there is none', async () => {
  const erased = await server.send('DELETE', ROUTES.credential('ada', 'demo'));
  expect([erased.status, erased.text]).toEqual([204, '']);
  expect(server.ports.revoked).toEqual(['ada']);
  expect(toProblem(await server.send('DELETE', ROUTES.credential('ada', 'codex'))).code).toBe('credential_not_found');
});
