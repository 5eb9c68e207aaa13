/** Sign-ins over JSON-RPC, with a small program that speaks it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { CREDENTIAL_PATH } from './testing-plan.ts';
import { signIn } from './testing-sign-in.ts';

/** `answer` is JavaScript with `id`, `method`, `reply` and `login` at hand. */
const toCli = (answer: string): string => `exec node -e "$(cat <<'END'
const fs = require('node:fs');
const home = process.env.HOME;
const write = (message) => console.log(JSON.stringify({ jsonrpc: '2.0', ...message }));
const login = (token = 't') => {
  fs.mkdirSync(home + '/.tool', { recursive: true });
  fs.writeFileSync(home + '/${CREDENTIAL_PATH}', JSON.stringify({ token }));
};
process.on('SIGTERM', () => { fs.writeFileSync(home + '/stopped', ''); process.exit(0); });
console.log('not a message');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params, error } = JSON.parse(line);
  fs.appendFileSync(home + '/heard', line + String.fromCharCode(10));
  const reply = (result = {}) => write({ id, result });
  if (method === 'initialize') return reply();
  ${answer}
});
setInterval(() => undefined, 1000);
END
)"`;

const PARTS = {
  login: {
    io: 'json_rpc',
    rpc: [
      { method: 'initialize', params: { protocolVersion: 1 } },
      { method: 'authenticate', params: { methodId: 'oauth' } },
    ],
  },
  success: { when: 'rpc' },
};
const OPEN = `require('node:child_process').spawn(process.env.BROWSER, ['https://id.example/authorize?state=s']);`;

test('asks in order, hands over by the last result, and ends the CLI', async () => {
  const cli = toCli(`if (method === 'authenticate') { ${OPEN}
    write({ id: 7, method: 'fs/read' }); write({ method: 'note' }); setTimeout(() => { login(); reply(); }, 100); }`);
  const { get, home, opened, has } = signIn(cli, PARTS);
  await expect(get('handover')).resolves.toMatchObject({ evidence: ['files_complete', 'cli_rpc_ok'] });
  expect(opened).toHaveLength(1);
  await vi.waitUntil(() => existsSync(join(home, 'stopped')), 5000);
  expect(has('cli_exited') || has('sign_in_failed')).toBe(false);
});

test('waits for files that are written after the result', async () => {
  const { get } = signIn(toCli(`reply(); setTimeout(login, 300);`), PARTS);
  await expect(get('handover')).resolves.toMatchObject({ evidence: ['files_complete', 'cli_rpc_ok'] });
});

test('files without the result are no login', async () => {
  const { attempt, home } = signIn(toCli(`login();`), PARTS);
  await vi.waitUntil(() => existsSync(join(home, CREDENTIAL_PATH)), 5000);
  await expect(attempt.settle()).resolves.toBe(false);
});

test.each([
  [
    'a refusal',
    `{ code: -32000, message: 'Authentication failed', data: { details: 'access_denied' } }`,
    'sign_in_denied',
  ],
  ['a name that is not found', `{ code: -32603, message: 'getaddrinfo ENOTFOUND id.example' }`, 'network_dns'],
  ['something else', `{ code: -32603, message: 'Internal error' }`, 'cli_crashed'],
])('says why, where the answer is an error of %s', async (_what, error, code) => {
  const { get, home } = signIn(toCli(`login(); write({ id, error: ${error} });`), PARTS);
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code });
  await vi.waitUntil(() => existsSync(join(home, 'stopped')), 5000);
});

test('names the first words of an error that nothing explains', async () => {
  const { get } = signIn(toCli(`write({ id, error: { code: 5, message: 'The moon is full: token=abcdef' } });`), PARTS);
  await expect(get('sign_in_failed')).resolves.toMatchObject({
    detail: 'authenticate: 5: The moon is full: token=[redacted]',
  });
});

test('says that a CLI that never answers showed no sign-in page', async () => {
  const { get } = signIn(toCli(``), PARTS, { change: ({ login }) => (login.url.timeoutSeconds = 0.4) });
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'cli_no_url' });
});

test('a CLI that ends with an error after its result is believed no longer', async () => {
  const cli = toCli(`reply(); setTimeout(() => { login(); process.exit(3); }, 100);`);
  const { get, has } = signIn(cli, PARTS);
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'cli_exited', detail: '3' });
  expect(has('handover')).toBe(false);
});
