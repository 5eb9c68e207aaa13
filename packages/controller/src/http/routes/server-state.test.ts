import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestingServer } from '../testing-server.ts';

let server: TestingServer;
beforeAll(async () => {
  server = await TestingServer.start();
});
afterAll(() => server.close());

it('answers the probes without a token, and metrics and its own description with one', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const { status, text } = await server.send('GET', path, undefined, { authorization: '' });
    expect([status, text]).toEqual([200, '{"status":"ok"}']);
  }
  const metrics = await server.send('GET', '/metrics');
  expect(metrics.headers['content-type']).toMatch(/^text\/plain/);
  expect(metrics.text).toContain('vestibule_sessions_active');
  const described: unknown = JSON.parse((await server.send('GET', '/openapi.json')).text);
  expect(described).toMatchObject({
    openapi: '3.1.0',
    paths: { '/v1/auth-sessions': { post: {} }, '/v1/live-view': { get: {} } },
  });
});

it('measures requests by route and never by path', async () => {
  const sessionId = await server.connect();
  await server.send('GET', `/v1/auth-sessions/${sessionId}`);
  const text = await server.metrics.text();
  expect(text).toContain('route="/v1/auth-sessions/:sessionId",status="200"} 1');
  expect(text).not.toContain(sessionId);
});
