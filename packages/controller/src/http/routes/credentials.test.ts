import { afterAll, beforeAll, expect, it } from 'vitest';
import { credentialListSchema, credentialSchema } from '@vestibule/protocol/api';
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

it('takes over a login, also one as large as may be kept', async () => {
  const files = [{ path: '.demo/auth.json', contentBase64: Buffer.alloc(1024 * 1024, 'x').toString('base64') }];
  const answer = await server.send('POST', ROUTES.importCredential('ada', 'demo'), { files });
  expect(answer.status).toBe(201);
  expect(credentialSchema.parse(JSON.parse(answer.text)).source).toBe('import');
  expect(server.ports.imported).toEqual([files]);
});

it('attack: a login that is taken over shows in no log line, and more than may be kept is not even read', async () => {
  const files = [{ path: '.demo/auth.json', contentBase64: Buffer.from('canary-import-77').toString('base64') }];
  await server.send('POST', ROUTES.importCredential('ada', 'demo'), { files });
  await server.send('POST', ROUTES.importCredential('ada', 'demo'), { files, more: 'canary-import-77' });
  const large = [{ path: 'x', contentBase64: 'A'.repeat(2 * 1024 * 1024) }];
  const refused = await server.send('POST', ROUTES.importCredential('ada', 'demo'), { files: large });
  expect(toProblem(refused).code).toBe('too_large');
  const lines = server.logLines.join('\n');
  expect(lines).not.toContain('canary-import-77');
  expect(lines).not.toContain(files[0]?.contentBase64);
});
