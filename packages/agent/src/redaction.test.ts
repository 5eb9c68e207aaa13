import { expect, test } from 'vitest';
import { createSecrets } from './redaction.ts';

test.each([
  ['a JSON Web Token', 'id eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln done', 'id [redacted] done'],
  ["Anthropic's and OpenAI's keys", 'sk-ant-oat01-abc_def-1, sk-proj-abcdefgh', '[redacted], [redacted]'],
  ["GitHub's tokens", 'gho_abcdefgh12345678 github_pat_11ABCDEFGH_x', '[redacted] [redacted]'],
  [
    "npm's and Google's tokens",
    '//r/:_authToken=npm_abcdef123456 ya29.a0AfH6SM_x-y',
    '//r/:_authToken=[redacted] [redacted]',
  ],
  [
    'a code and a state in a link',
    'http://localhost:1/cb?code=ab4/x&scope=a&state=xyz',
    'http://localhost:1/cb?code=[redacted]&scope=a&state=[redacted]',
  ],
  [
    'a state in a link within a link',
    'https://a/b?next=%2Fc%3Fstate%3Dxyz123',
    'https://a/b?next=%2Fc%3Fstate%3D[redacted]',
  ],
  [
    'a field of a document',
    '{"access_token": "short1", "refresh_token":"other2"}',
    '{"access_token": "[redacted]", "refresh_token":"[redacted]"}',
  ],
  ['a value in a sentence', 'Your access token: canary-123', 'Your access token: [redacted]'],
  ['a header', 'authorization: Bearer abcdef.ghi', 'authorization: Bearer [redacted]'],
  ['a long run that is no word', `got ${'aB3-_'.repeat(10)}!`, 'got [redacted]!'],
  ['a code with its state', 'paste AbCdEfGh12#StAtE345678', 'paste [redacted]'],
  ['one with colours in it', '\u001b[1msk-ant-\u001b[32moat01-abcdef\u001b[0m.', '\u001b[1m[redacted]\u001b[0m.'],
])('takes out %s', (_what, text, expected) => {
  expect(createSecrets().redact(text)).toBe(expected);
});

test.each([
  'Opening your browser. Continue? [Y/n]',
  'npm error code E401: exit code=1',
  'Successfully logged in as ada@example.com, plan: pro',
  'https://accounts.example/o/auth?client_id=abc&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback',
  'keyboard: arrow keys; token expired',
  'Failed to fetch auth token: TypeError: fetch failed',
])('leaves what is no secret: %s', (text) => {
  expect(createSecrets().redact(text)).toBe(text);
});

test('knows what it was told, also as a link writes it, but no word too short to be told from others', () => {
  const secrets = createSecrets();
  secrets.add(' pass word/1 ');
  secrets.add('yes');
  secrets.add('ABCD', 4);
  expect(secrets.redact('yes: pass word/1, pass%20word%2F1, ABCD')).toBe('yes: [redacted], [redacted], [redacted]');
});
