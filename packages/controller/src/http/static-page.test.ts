import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestingServer, toProblem } from './testing-server.ts';

const NOBODY = { authorization: '', accept: 'text/html,*/*' };
let folder: string;
let server: TestingServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vestibule-page-'));
  const pageDir = join(folder, 'web');
  mkdirSync(join(pageDir, 'assets'), { recursive: true });
  writeFileSync(join(pageDir, 'index.html'), '<title>Vestibule</title>');
  writeFileSync(join(pageDir, 'favicon.svg'), '<svg/>');
  writeFileSync(join(pageDir, 'assets', 'main-Bx3f.js'), 'export {}');
  writeFileSync(join(folder, 'operator-token'), 'canary');
  server = await TestingServer.start({ pageDir });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('the page', () => {
  it.each(['/', '/index.html', '/sessions/7d9c3f0a', '/users/ada'])(
    'is what a browser gets at %s, without signing in, fresh each time',
    async (path) => {
      const { status, headers, text } = await server.send('GET', path, undefined, NOBODY);
      expect([status, text]).toEqual([200, '<title>Vestibule</title>']);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['cache-control']).toBe('no-cache');
      expect(headers['content-security-policy']).toContain("default-src 'none'");
    },
  );

  it('may keep built files for ever, others not', async () => {
    const built = await server.send('GET', '/assets/main-Bx3f.js', undefined, NOBODY);
    expect(built.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(built.headers['content-type']).toMatch(/javascript/);
    const icon = await server.send('GET', '/favicon.svg', undefined, NOBODY);
    expect([icon.headers['cache-control'], icon.headers['content-type']]).toEqual(['no-cache', 'image/svg+xml']);
  });
});

describe('what is not there', () => {
  it.each(['/assets/none.js', '/v1', '/v1/', '/assets'])('%s is no page for a program', async (path) => {
    const answer = await server.send('GET', path, undefined, { accept: 'application/json' });
    expect(toProblem(answer).code).toBe('not_found');
  });

  it('below /v1 is never the page, also for a browser', async () => {
    expect(toProblem(await server.send('GET', '/v1/nothing', undefined, { accept: 'text/html' })).code).toBe(
      'not_found',
    );
  });

  it.each([
    '/../operator-token',
    '/%2e%2e/operator-token',
    '/..%2foperator-token',
    '/assets/..%5c..%5coperator-token',
    '/%00',
  ])('outside the folder is not reached by %s', async (path) => {
    const { status, text } = await server.send('GET', path, undefined, NOBODY);
    expect(text).not.toContain('canary');
    expect([200, 400, 403, 404]).toContain(status);
  });
});

it('says not found while no page is built', async () => {
  const bare = await TestingServer.start();
  const answer = await bare.send('GET', '/', undefined, NOBODY);
  await bare.close();
  expect(toProblem(answer).code).toBe('not_found');
});
