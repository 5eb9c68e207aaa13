/** The ways to sign in, and changes between them, with small programs as CLIs. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { CALLBACK_CLI, CALLBACK_CODE, STATE, toCallback } from './testing-callback-cli.ts';
import { CREDENTIAL_PATH } from './testing-plan.ts';
import { OPEN, signIn, WRITE } from './testing-sign-in.ts';

const TOKEN = 'tool_key_0123456789';
const tokenOf = (files: { contentBase64: string }[]): unknown =>
  (JSON.parse(Buffer.from(files[0]?.contentBase64 ?? '', 'base64').toString()) as { token: unknown }).token;
const readLines = (home: string, name: string): string[] =>
  existsSync(join(home, name)) ? readFileSync(join(home, name), 'utf8').trim().split('\n') : [];

test("brings the answer of the person's own browser to the CLI, in exactly one request", async () => {
  const { get, give, home, opened, logged, output, count } = signIn(CALLBACK_CLI, {}, { mode: 'own_browser' });
  const { offer } = await get('offer');
  expect(offer).toMatchObject({ mode: 'own_browser', accepts: ['callback'], callback: { path: '/callback' } });
  expect(new URL(offer.url ?? '').searchParams.get('state')).toBe(STATE);
  await expect(get('url_opened')).resolves.toMatchObject({ origin: 'https://id.example/authorize' });
  const callback = toCallback(offer.callback?.port);
  await expect(Promise.all([give('callback', callback), give('callback', callback)])).resolves.toEqual([
    'delivered',
    expect.stringContaining('given an answer already'),
  ]);
  expect(tokenOf((await get('handover')).files)).toBe(`token-for-${CALLBACK_CODE}`);
  expect(readLines(home, 'requests')).toEqual([
    `localhost:${offer.callback?.port} /callback?code=${CALLBACK_CODE}&state=${STATE}`,
  ]);
  expect(opened).toEqual([]);
  expect(count('sign_in_failed')).toBe(0);
  expect(logged.join('\n') + output()).not.toContain(CALLBACK_CODE);
  expect(logged.join('\n') + output()).not.toContain(STATE);
});

test('refuses what is not the answer to this sign-in, in words, and the right one still completes it', async () => {
  const { get, give, home } = signIn(CALLBACK_CLI, {}, { mode: 'own_browser' });
  const port = (await get('offer')).offer.callback?.port;
  await expect(give('callback', toCallback(port, { state: 'of-another' }))).resolves.toContain('another sign-in');
  await expect(give('callback', `http://localhost:${port}/favicon.ico`)).resolves.toContain('not the address');
  await expect(give('callback', `http://localhost:${port}/callback`)).resolves.toContain('holds no answer');
  await expect(give('code', 'just-a-code')).resolves.toContain('wants the whole address');
  await expect(give('token', TOKEN)).resolves.toContain('takes no key or token');
  expect(readLines(home, 'requests')).toEqual([]);
  await expect(give('callback', toCallback(port))).resolves.toBe('delivered');
  await get('handover');
});

test('says that a stray request took the place of the answer', async () => {
  const { get, give } = signIn(CALLBACK_CLI, {}, { mode: 'own_browser' });
  const port = (await get('offer')).offer.callback?.port;
  await fetch(`http://127.0.0.1:${port}/favicon.ico`, { redirect: 'manual' });
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'callback_refused' });
  await expect(give('callback', toCallback(port))).resolves.toContain('does not run');
});

test('gives a code to the CLI as a line, after its state was checked', async () => {
  const ways = { own_browser: { accepts: ['callback', 'code'], codeUrlPattern: '/manual' } };
  const login = { environment: { CODE_LINE: '1' } };
  const { get, give, has, output } = signIn(CALLBACK_CLI, { ways, login }, { mode: 'own_browser' });
  const { offer } = await get('offer', (message) => message.offer.codeUrl !== null);
  expect(offer).toMatchObject({ accepts: ['callback', 'code'], codeUrl: `https://id.example/manual?state=${STATE}` });
  await expect(give('code', 'pasted-code-77#of-another')).resolves.toContain('another sign-in');
  await expect(give('code', `pasted-code-77#${STATE}`)).resolves.toBe('delivered');
  expect(tokenOf((await get('handover')).files)).toBe(`token-for-pasted-code-77#${STATE}`);
  expect(has('prompt_shown')).toBe(false);
  expect(output()).not.toContain('pasted-code-77');
});

test('shows the same sign-in elsewhere, and back, while the CLI runs on', async () => {
  const { get, give, home, opened, changeWay, messages } = signIn(CALLBACK_CLI, {}, { mode: 'own_browser' });
  const first = (await get('offer')).offer;
  await changeWay(2, 'vm_browser');
  expect(opened).toEqual([first.url]);
  await changeWay(3, 'own_browser');
  await changeWay(4, 'vm_browser');
  expect(opened).toHaveLength(1);
  const offers = messages.flatMap((message) => (message.type === 'offer' ? [message.offer] : []));
  expect(new Set(offers.map(({ url }) => url)).size).toBe(1);
  expect(offers.map(({ mode }) => mode).slice(-3)).toEqual(['vm_browser', 'own_browser', 'vm_browser']);
  await give('callback', toCallback(first.callback?.port));
  await get('handover');
  expect(readLines(home, 'starts')).toEqual(['start']);
});

const DEVICE = { codePattern: 'code: ([A-Z0-9-]+)', urlPattern: 'https://id\\.example/device\\S*', validSeconds: 600 };
const DEVICE_CLI = `printf 'Visit \\033[4mhttps://id.example/device\\033[0m.\\n'; printf 'Enter the code: \\033[1mABCD-1234\\033[0m\\n'`;

test('completes after the way was changed twice in the middle, with one hand-over, from an empty home', async () => {
  const script = `[ "$1" = device ] || { touch ~/of-the-first-way; ${CALLBACK_CLI.replace('exec node', 'node')}
    exit $?; }
    [ -e ~/of-the-first-way ] && exit 9
    ${DEVICE_CLI}; read -r go; ${WRITE}`;
  const ways = { device_code: { ...DEVICE, login: { args: ['device'] } } };
  const { get, give, home, changeWay, count, has, outbox } = signIn(script, { ways });
  await get('url_opened');
  await changeWay(2, 'own_browser');
  await get('offer', ({ offer }) => offer.mode === 'own_browser');
  await changeWay(3, 'device_code', { ways, login: { args: ['device'] } });
  const { offer } = await get('offer', (message) => message.offer.mode === 'device_code');
  expect(offer).toMatchObject({ deviceCode: 'ABCD-1234', url: 'https://id.example/device', accepts: [] });
  expect(existsSync(join(home, 'of-the-first-way'))).toBe(false);
  const kept: unknown[] = [];
  outbox.attach((message) => kept.push(message.type === 'offer' ? message.offer.mode : message.type));
  expect(kept.filter((one) => one === 'own_browser' || one === 'device_code')).toEqual(['device_code']);
  await give('line', 'go');
  await vi.waitUntil(() => kept.includes('handover'), 8000);
  expect(kept.filter((one) => one === 'handover')).toHaveLength(1);
  expect(count('handover') + count('cli_exited')).toBe(0);
  expect(has('sign_in_failed')).toBe(false);
});

test('ignores a change that is not newer, and one that comes when the login is there already', async () => {
  const { get, home, changeWay, opened } = signIn(`${OPEN}; ${WRITE}; touch ~/written; sleep 1000`);
  await get('offer');
  await vi.waitUntil(() => existsSync(join(home, 'written')), 5000);
  await changeWay(1, 'device_code');
  await changeWay(2, 'device_code', { ways: { device_code: DEVICE } });
  expect(existsSync(join(home, CREDENTIAL_PATH))).toBe(true);
  expect(opened).toHaveLength(1);
});

test('a browser in the VM that failed stops nobody who signs in elsewhere, until it is asked for', async () => {
  const { get, has, desktopFailed, changeWay } = signIn(CALLBACK_CLI, {}, { mode: 'own_browser' });
  desktopFailed.resolve('Xtigervnc ended with code 1');
  await get('offer');
  expect(has('sign_in_failed')).toBe(false);
  await changeWay(2, 'vm_browser');
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'browser_failed' });
});

test('shows code and link with the time left, opens nothing, and follows a new code', async () => {
  const script = `${OPEN}; ${DEVICE_CLI}; read -r a; echo 'It expired. New code: WXYZ-9876'; read -r b; ${WRITE}`;
  const { get, give, opened, output } = signIn(script, { ways: { device_code: DEVICE } }, { mode: 'device_code' });
  await expect(get('offer')).resolves.toMatchObject({ offer: { deviceCode: 'ABCD-1234', validForMs: 600_000 } });
  await expect(get('url_opened')).resolves.toMatchObject({ origin: 'https://id.example/device' });
  await give('line', '');
  await get('offer', ({ offer }) => offer.deviceCode === 'WXYZ-9876' && offer.url === 'https://id.example/device');
  await give('line', '');
  await get('handover');
  expect(opened).toEqual([]);
  await vi.waitUntil(() => output().includes('[redacted]'), 5000);
  expect(output()).not.toContain('ABCD-1234');
});

test.each([
  ['expired', `${DEVICE_CLI}; sleep 0.1; echo 'error: expired_token' >&2; exit 1`, 'code_expired'],
  ['are refused', `echo 'device code login is not enabled for this workspace' >&2; exit 1`, 'device_code_refused'],
  ['are refused with a status', `echo 'request failed with status 403' >&2; exit 1`, 'device_code_refused'],
  ['were denied', `${DEVICE_CLI}; sleep 0.1; echo 'access_denied' >&2; exit 1`, 'sign_in_denied'],
])('says that device codes %s', async (_what, script, code) => {
  const { get } = signIn(script, { ways: { device_code: DEVICE } }, { mode: 'device_code' });
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code });
});

const KIND = { id: 'api_key', name: 'API key', hint: 'Make one on the page of your account.', pattern: '^tool_key_' };
const STDIN = { token: { kinds: [{ ...KIND, input: 'stdin', login: { args: ['with-token'] } }] } };
const READ_TOKEN = `read -r token; cat > ~/rest; [ "$1" = with-token ] || exit 9`;

test('gives a token to the CLI as the only line of its input, and lets it nowhere else', async () => {
  const script = `${READ_TOKEN}; echo "Using key $token."; sleep 0.2; mkdir ~/.tool; printf '{"token":"%s"}' "$token" > ~/${CREDENTIAL_PATH}`;
  const { get, give, messages, logged, opened, output } = signIn(script, { ways: STDIN }, { mode: 'token' });
  await expect(get('offer')).resolves.toMatchObject({ offer: { mode: 'token', accepts: ['token'], url: null } });
  await expect(get('url_opened')).resolves.toMatchObject({ origin: '' });
  await expect(give('token', 'sk-of-another')).resolves.toBe(
    `That does not have the form of this: API key. ${KIND.hint}`,
  );
  await expect(give('token', TOKEN, 'unknown')).resolves.toContain('does not know that kind');
  await expect(give('token', ` ${TOKEN}\n`, 'api_key')).resolves.toBe('delivered');
  await expect(give('token', TOKEN, 'api_key')).resolves.toContain('already');
  expect(tokenOf((await get('handover')).files)).toBe(TOKEN);
  await vi.waitUntil(() => output() !== '', 5000);
  expect(output()).toContain('Using key [redacted]');
  expect(opened).toEqual([]);
  const others = messages.filter(({ type }) => type !== 'handover');
  expect(JSON.stringify(others) + logged.join()).not.toContain(TOKEN);
});

test('ends the input on a terminal, too', async () => {
  const kinds = [{ ...KIND, input: 'stdin', login: { args: [], io: 'pty' } }];
  const { get, give } = signIn(
    `stty -echo; read -r token; read -r more || ${WRITE}`,
    { ways: { token: { kinds } } },
    { mode: 'token' },
  );
  await get('offer');
  await give('token', TOKEN);
  await expect(get('handover')).resolves.toBeDefined();
});

test.each([
  ['a line', 'echo "Error: that key is not valid" >&2; exit 1', 'Error: that key is not valid'],
  ['a status', 'echo "HTTP 401: bad credentials" >&2; exit 1', 'HTTP 401'],
  ['nothing', 'exit 3', 'code 3'],
])('says that the token was refused, where the CLI says %s', async (_what, script, detail) => {
  const { get, give } = signIn(`read -r token; ${script}`, { ways: STDIN }, { mode: 'token' });
  await get('offer');
  await give('token', TOKEN);
  await expect(get('sign_in_failed')).resolves.toEqual({ type: 'sign_in_failed', code: 'token_refused', detail });
});

test('puts a token into files, and asks the CLI only for its word', async () => {
  const files = [{ path: CREDENTIAL_PATH, content: '{"token":"${token}"}' }];
  const ways = { token: { kinds: [{ ...KIND, pattern: undefined, input: 'files', files }] } };
  const success = { when: 'exit_zero', confirm: { args: ['status'] } };
  const { get, give, home } = signIn(
    '[ "$1" = status ] && exit 0; touch ~/ran; exit 1',
    { ways, success },
    { mode: 'token' },
  );
  await get('offer');
  await give('token', 'with"quotes\\and$&');
  const { files: handed, evidence } = await get('handover');
  expect(tokenOf(handed)).toBe('with"quotes\\and$&');
  expect(evidence).toEqual(['files_complete', 'cli_confirmed']);
  expect(existsSync(join(home, 'ran'))).toBe(false);
});

test('a kind of token has a credential of its own', async () => {
  const files = [{ path: '.tool/key', content: '${token}\n' }];
  const credential = { files: [{ path: '.tool/key', format: 'text' }] };
  const ways = { token: { kinds: [{ ...KIND, input: 'files', files, credential }] } };
  const { get, give } = signIn('exit 1', { ways }, { mode: 'token' });
  await get('offer');
  await give('token', TOKEN);
  await expect(get('handover')).resolves.toMatchObject({
    files: [{ path: '.tool/key', contentBase64: Buffer.from(`${TOKEN}\n`).toString('base64') }],
    evidence: ['files_complete'],
  });
});

test('leaves the token for another way, from an empty home', async () => {
  const script = `[ "$1" = with-token ] && { touch ~/of-the-token; sleep 1000; }; [ -e ~/of-the-token ] && exit 9; ${OPEN}; ${WRITE}`;
  const { get, give, home, changeWay, opened } = signIn(script, { ways: STDIN }, { mode: 'token' });
  await get('offer');
  await give('token', TOKEN);
  await vi.waitUntil(() => existsSync(join(home, 'of-the-token')), 5000);
  writeFileSync(join(home, 'left-over'), '');
  await changeWay(2, 'vm_browser');
  await get('handover');
  expect(opened).toHaveLength(1);
  expect(existsSync(join(home, 'left-over'))).toBe(false);
});

test('says that the program for a token is missing', async () => {
  const { get } = signIn('', { ways: STDIN }, { mode: 'token', toProgram: () => '/nowhere/tool' });
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'cli_missing' });
});
