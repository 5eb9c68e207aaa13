import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { providerFilesSchema } from '@vestibule/protocol/api';
import { ROUTES } from '@vestibule/protocol/routes';
import { TestingServer, toProblem } from '../testing-server.ts';

let server: TestingServer;
beforeAll(async () => {
  server = await TestingServer.start();
});
afterAll(() => server.close());

describe('the routes of providers', () => {
  it('take the person for whom a way is suggested, and refuse what is no user id', async () => {
    expect((await server.send('GET', `${ROUTES.providers}?userId=ada%40example.org`)).status).toBe(200);
    expect(toProblem(await server.send('GET', `${ROUTES.providers}?userId=a%20b`)).code).toBe('bad_request');
  });

  it('tell where a program keeps its login', async () => {
    const answer = await server.send('GET', ROUTES.providerFiles('demo'));
    expect(providerFilesSchema.parse(JSON.parse(answer.text)).files[0]?.path).toBe('.demo/auth.json');
    expect(toProblem(await server.send('GET', ROUTES.providerFiles('nope'))).code).toBe('unknown_provider');
  });

  it('accept the present notice, and no other', async () => {
    const accepted = await server.send('POST', ROUTES.acceptance('demo'), { hash: 'present' });
    expect([accepted.status, accepted.text]).toEqual([204, '']);
    expect(server.ports.accepted).toEqual(['demo']);
    expect(toProblem(await server.send('POST', ROUTES.acceptance('demo'), { hash: 'past' }))).toMatchObject({
      status: 409,
      code: 'notice_changed',
    });
  });

  it('attack: nobody but the operator accepts a notice or takes over a login', async () => {
    for (const path of [ROUTES.acceptance('demo'), ROUTES.importCredential('ada', 'demo')])
      expect(toProblem(await server.send('POST', path, {}, { authorization: '' })).code).toBe('unauthenticated');
    expect(server.ports.imported).toEqual([]);
  });
});
