/** How well it is known that a login works, what its files and those beside it say, and CLIs that hang or crash after their success. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { CREDENTIAL_PATH } from './testing-plan.ts';
import { signIn, WRITE } from './testing-sign-in.ts';

const use = { args: ['use'], description: 'Asks one short question.', environment: { FIRST_USE: '1' } };
const USED = `[ "$1" = use ] && { [ "$FIRST_USE" = 1 ] || exit 7; touch ~/used;`;

test.each([
  [true, ['files_complete', 'cli_exit_zero', 'provider_accepted']],
  [false, ['files_complete', 'cli_exit_zero']],
])('uses the login only where the person agreed: %s', async (mayUse, evidence) => {
  const { get, home } = signIn(`${USED} exit 0; }; ${WRITE}`, { success: { use } }, { mayUse });
  await expect(get('handover')).resolves.toMatchObject({ evidence });
  expect(existsSync(join(home, 'used'))).toBe(mayUse);
});

test('a first use that was not accepted raises nothing, and loses nothing', async () => {
  const { get } = signIn(`${USED} exit 1; }; ${WRITE}`, { success: { use } }, { mayUse: true });
  await expect(get('handover')).resolves.toMatchObject({ evidence: ['files_complete', 'cli_exit_zero'] });
});

test('a first use that blanks the login ends it', async () => {
  const script = `${USED} echo '{"token":""}' > ~/${CREDENTIAL_PATH}; exit 1; }; ${WRITE}`;
  const { get, has } = signIn(script, { success: { use } }, { mayUse: true });
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'not_confirmed' });
  expect(has('handover')).toBe(false);
});

test('hands over what a first use renewed', async () => {
  const script = `${USED} echo '{"token":"renewed"}' > ~/${CREDENTIAL_PATH}; exit 0; }; ${WRITE}`;
  const { files } = await signIn(script, { success: { use } }, { mayUse: true }).get('handover');
  expect(Buffer.from(files[0]!.contentBase64, 'base64').toString()).toContain('renewed');
});

test('a controller that settles does not wait for a first use', async () => {
  const { attempt, get, home } = signIn(`${USED} sleep 1000; }; ${WRITE}`, { success: { use } }, { mayUse: true });
  await vi.waitUntil(() => existsSync(join(home, 'used')), 5000);
  await expect(attempt.settle()).resolves.toBe(true);
  await expect(get('handover')).resolves.toMatchObject({ evidence: ['files_complete', 'cli_exit_zero'] });
});

const toJwt = (claims: object): string =>
  `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

test('says whose login it is, also from files beside the credential and from claims', async () => {
  const token = toJwt({ 'https://id.example/auth': { plan: 'pro' }, exp: 1893456000 });
  const credential = {
    files: [{ path: CREDENTIAL_PATH, format: 'json', required: ['token'] }],
    account: { file: '.tool.json', field: 'oauthAccount.emailAddress' },
    organization: { file: 'org', field: 'name', format: 'yaml' },
    plan: { file: CREDENTIAL_PATH, field: 'token', claim: 'https://id.example/auth.plan' },
    expiresAt: { file: CREDENTIAL_PATH, field: 'token', claim: 'exp', unit: 'seconds' },
  };
  const script = `mkdir ~/.tool; echo '{"token":"${token}"}' > ~/${CREDENTIAL_PATH}
    echo '{"oauthAccount":{"emailAddress":"ada@example.com"}}' > ~/.tool.json; echo 'name: Engines' > ~/org`;
  await expect(signIn(script, { credential }).get('handover')).resolves.toMatchObject({
    ...{
      account: 'ada@example.com',
      organization: 'Engines',
      accountPlan: 'pro',
      expiresAt: '2030-01-01T00:00:00.000Z',
    },
    files: [{ path: CREDENTIAL_PATH }],
  });
});

test.each([
  ['is a link out of the home', 'ln -s /etc/hostname ~/.tool.json'],
  ['is not whole', `echo '{"oauthAccount":' > ~/.tool.json`],
  ['is not there', 'true'],
])('knows no account when the file beside the credential %s', async (_what, script) => {
  const account = { file: '.tool.json', field: 'oauthAccount.emailAddress' };
  await expect(signIn(`${script}; ${WRITE}`, { credential: { account } }).get('handover')).resolves.toMatchObject({
    account: null,
  });
});

test('ends a CLI that hangs after its success, where its files suffice', async () => {
  const script = `trap 'touch ~/stopped; exit 0' TERM; ${WRITE}; while :; do sleep 0.05; done`;
  const { get, home, has } = signIn(script, { success: { when: 'files' } });
  await get('handover');
  await vi.waitUntil(() => existsSync(join(home, 'stopped')), 5000);
  expect(has('cli_exited') || has('sign_in_failed')).toBe(false);
});

test.each([
  ['exit_zero', 'kill -SEGV $$', 'cli_crashed', 'signal SIGSEGV'],
  ['files', `echo 'TypeError: x is undefined' >&2; exit 70`, 'cli_crashed', 'TypeError: x is undefined'],
  ['files', 'exit 70', 'cli_exited', '70'],
])('believes no CLI that crashes after it wrote its login: %s, %s', async (when, crash, code, detail) => {
  const { get, has } = signIn(`${WRITE}; ${crash}`, { success: { when } });
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code, detail });
  expect(has('handover')).toBe(false);
});

const VERSION = { version: { args: ['--version'], pattern: '(\\d+\\.\\d+\\.\\d+)' }, pinnedVersion: '2.0.0' };

test.each([
  ['another version', 'tool 1.9.0', 'exit 1', 'cli_wrong_version', '1.9.0 instead of 2.0.0'],
  ['the pinned version', 'tool 2.0.0', 'exit 1', 'cli_exited', '1'],
  ['no version', 'hello', 'exit 1', 'cli_exited', '1'],
  [
    'another version, which explains nothing that is known',
    'tool 1.9.0',
    'echo ENOTFOUND; exit 1',
    'network_dns',
    'ENOTFOUND',
  ],
])('after a failure, a CLI of %s is asked', async (_what, version, end, code, detail) => {
  const { get } = signIn(`[ "$1" = --version ] && { echo '${version}'; exit 0; }; ${end}`, VERSION);
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code, detail });
});

test('names the cause by the definition first, and without secrets', async () => {
  const failures = [
    { pattern: 'Login is restricted', code: 'sign_in_denied', modes: ['device_code'] },
    { pattern: '^Login is restricted', code: 'provider_denied' },
  ];
  const script = `echo 'Login is restricted, see https://id.example/why?code=canary12 and sk-ant-canary123' >&2; exit 1`;
  const { get, logged } = signIn(script, { failures });
  await expect(get('sign_in_failed')).resolves.toEqual({
    type: 'sign_in_failed',
    code: 'provider_denied',
    detail: 'Login is restricted, see https://id.example/why and [redacted]',
  });
  expect(logged.join()).not.toMatch(/canary|restricted/);
});
