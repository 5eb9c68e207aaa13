import { afterAll, beforeAll, expect, it } from 'vitest';
import { sessionListSchema, sessionSchema, timelineSchema } from '@vestibule/protocol/api';
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
