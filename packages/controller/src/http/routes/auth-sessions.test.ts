import { afterAll, beforeAll, expect, it } from 'vitest';
import { sessionListSchema, sessionOfferSchema, sessionSchema, timelineSchema } from '@vestibule/protocol/api';
import type { Offer } from '@vestibule/protocol/offer';
import { ROUTES } from '@vestibule/protocol/routes';
import { TestingServer, toProblem } from '../testing-server.ts';

let server: TestingServer;
beforeAll(async () => {
  server = await TestingServer.start();
});
afterAll(() => server.close());

it('starts a session with 201, returns the one going on with 200, and reads and lists it', async () => {
  const body = { userId: 'ada@example.org', provider: 'demo' };
  const first = await server.send('POST', ROUTES.authSessions, body);
  const second = await server.send('POST', ROUTES.authSessions, body);
  expect([first.status, second.status]).toEqual([201, 200]);
  const session = sessionSchema.parse(JSON.parse(first.text));
  expect(JSON.parse(second.text)).toEqual(session);
  expect(JSON.parse((await server.send('GET', ROUTES.session(session.sessionId))).text)).toEqual(session);
  const listed = await server.send('GET', `${ROUTES.authSessions}?userId=${encodeURIComponent(body.userId)}`);
  expect(sessionListSchema.parse(JSON.parse(listed.text)).sessions).toEqual([session]);
});

it('records an answer and a cancel, which the timeline shows; what has completed cannot be cancelled', async () => {
  const sessionId = await server.connect('bea');
  expect((await server.send('POST', ROUTES.answer(sessionId), { text: 'code-123' })).status).toBe(200);
  expect(server.ports.answersGiven).toEqual([{ text: 'code-123' }]);
  for (const body of [undefined, '', {}])
    expect((await server.send('POST', ROUTES.cancel(sessionId), body)).status).toBe(200);
  const timeline = timelineSchema.parse(JSON.parse((await server.send('GET', ROUTES.timeline(sessionId))).text));
  expect(timeline.steps[0]?.type).toBe('answer_received');

  const done = await server.connect('cleo');
  server.ports.change(done, 'credential_stored', { status: 'completed' });
  const refused = await server.send('POST', ROUTES.cancel(done));
  expect(toProblem(refused)).toMatchObject({
    status: 409,
    code: 'session_ended',
    detail: 'The session has completed.',
  });
});

it('changes the way to sign in, and shows what is needed for it once there is something', async () => {
  const sessionId = await server.connect('dora');
  const changed = await server.send('POST', ROUTES.mode(sessionId), { mode: 'device_code' });
  expect(sessionSchema.parse(JSON.parse(changed.text))).toMatchObject({ mode: 'device_code', way: 2 });
  for (const body of [{ mode: 'by_post' }, { mode: 'token', way: 9 }, {}])
    expect(toProblem(await server.send('POST', ROUTES.mode(sessionId), body)).code).toBe('bad_request');

  expect(toProblem(await server.send('GET', ROUTES.offer(sessionId))).code).toBe('offer_not_found');
  const offer: Offer = {
    ...{ mode: 'device_code', url: 'https://sign-in.example.test/device', codeUrl: null, callback: null },
    ...{ accepts: [], deviceCode: 'ABCD-1234', validForMs: 60_000 },
  };
  server.ports.offers.set(sessionId, { way: 2, offer });
  const shown = await server.send('GET', ROUTES.offer(sessionId));
  expect(sessionOfferSchema.parse(JSON.parse(shown.text))).toEqual({ way: 2, offer });
  expect(shown.headers['cache-control']).toBe('no-store');
  expect(server.logLines.join('')).not.toContain('ABCD-1234');
});

it('takes an answer of each kind, and none of another', async () => {
  const sessionId = await server.connect('emil');
  for (const body of [
    { text: 'x', kind: 'keys' },
    { text: 'k', kind: 'token', tokenKind: 'api_key' },
  ])
    expect((await server.send('POST', ROUTES.answer(sessionId), body)).status).toBe(200);
  for (const body of [{ text: 'x', kind: 'shell' }, { text: '' }, { text: 'x'.repeat(8193) }, { kind: 'keys' }])
    expect(toProblem(await server.send('POST', ROUTES.answer(sessionId), body)).code).toBe('bad_request');
});
