import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { CREDENTIAL_PATH } from './testing-plan.ts';
import { OPEN, signIn, WRITE } from './testing-sign-in.ts';

test('hands over exactly what the CLI wrote, when it ended with 0', async () => {
  const { get, home, opened, has } = signIn(`${OPEN}; sleep 0.2; ${WRITE}`);
  const { files, evidence } = await get('handover');
  expect(Buffer.from(files[0]!.contentBase64, 'base64')).toEqual(readFileSync(join(home, CREDENTIAL_PATH)));
  expect(evidence).toEqual(['files_complete', 'cli_exit_zero']);
  expect(opened).toEqual(['https://id.example/authorize?state=s']);
  await expect(get('url_opened')).resolves.toMatchObject({
    from: 'browser_shim',
    origin: 'https://id.example/authorize',
  });
  expect(has('sign_in_failed')).toBe(false);
});

test('gives the CLI what it needs to open a browser, and its prepared files', async () => {
  const environment = { TOOL_MODE: 'x' };
  const files = [{ path: '.tool/settings/a.json', content: '{"a":1}' }];
  const script = `test "$DISPLAY$XAUTHORITY$TOOL_MODE" = :3/xx && test -x "$BROWSER" && test -z "$CI" || exit 9
    case "$(command -v xdg-open)" in */shim/bin/xdg-open) ;; *) exit 8 ;; esac
    grep -q '"a":1' ~/.tool/settings/a.json || exit 7
    ${WRITE}`;
  const { get, home } = signIn(script, { login: { environment, files } });
  await get('handover');
  expect(statSync(join(home, files[0]!.path)).mode & 0o777).toBe(0o600);
});

test.each([
  ['a blank token', `mkdir ~/.tool; echo '{"token":" "}' > ~/${CREDENTIAL_PATH}`, 'credential_blank', 'blank_field'],
  [
    'half a document',
    `mkdir ~/.tool; echo '{"token":"t' > ~/${CREDENTIAL_PATH}`,
    'credential_unreadable',
    'unreadable',
  ],
  ['no JSON', `mkdir ~/.tool; echo hello > ~/${CREDENTIAL_PATH}`, 'credential_unreadable', 'unreadable'],
  ['50 MB', `mkdir ~/.tool; truncate -s 50M ~/${CREDENTIAL_PATH}`, 'credential_too_large', 'too_large'],
])('fails in words when the CLI ended with 0 and wrote %s', async (_what, script, code, problem) => {
  const { get, has } = signIn(script);
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code });
  await expect(get('credential_incomplete')).resolves.toMatchObject({ path: CREDENTIAL_PATH, problem });
  expect(has('handover')).toBe(false);
});

test('hands over nothing when the CLI ended with 1, although its files are complete', async () => {
  const { get, has } = signIn(`${WRITE}; exit 1`);
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'cli_exited', detail: '1' });
  expect(has('handover')).toBe(false);
});

test('does not call a partial file an error while the CLI runs', async () => {
  const { get, has } = signIn(`mkdir ~/.tool; printf '{"tok' > ~/${CREDENTIAL_PATH}; sleep 0.4; ${WRITE}`, {
    success: { when: 'files' },
  });
  await get('handover');
  expect(has('credential_incomplete')).toBe(false);
});

test('hands over from a CLI that hangs after its success, where the files suffice', async () => {
  const { get, has } = signIn(`${WRITE}; sleep 1000`, { success: { when: 'files' } });
  await expect(get('handover')).resolves.toMatchObject({ evidence: ['files_complete'] });
  expect(has('cli_exited')).toBe(false);
});

test('asks the CLI itself, and says that it confirmed', async () => {
  const confirm = { args: ['status'] };
  const script = `[ "$1" = status ] && { echo '{"token":"renewed"}' > ~/${CREDENTIAL_PATH}; exit 0; }; ${WRITE}`;
  const { files, evidence } = await signIn(script, { success: { confirm } }).get('handover');
  expect(evidence).toContain('cli_confirmed');
  expect(Buffer.from(files[0]!.contentBase64, 'base64').toString()).toContain('renewed');
});

test.each([
  ['denies it', 'exit 1'],
  ['does not answer', 'sleep 1000'],
])('fails when the CLI %s', async (_what, answer) => {
  const confirm = { args: ['status'], timeoutSeconds: 1 };
  const { get, has } = signIn(`[ "$1" = status ] && { ${answer}; }; ${WRITE}`, { success: { confirm } });
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'not_confirmed' });
  expect(has('handover')).toBe(false);
});

test('says that the program is missing', async () => {
  const { get } = signIn('', {}, { toProgram: () => '/nowhere/tool' });
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'cli_missing', detail: '/nowhere/tool' });
  await expect(get('capability')).resolves.toMatchObject({ name: 'cli', ready: false });
});

test('fails when the browser failed, and ends the CLI', async () => {
  const { get, desktopFailed, has } = signIn('sleep 1000');
  await get('capability');
  desktopFailed.resolve('Xtigervnc ended with code 1');
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'browser_failed' });
  expect(has('cli_exited')).toBe(false);
});

test('delivers an answer once for each id, and says so each time', async () => {
  const { attempt, get, messages } = signIn(`read -r a; read -r b; [ "$a$b" = onetwo ] && ${WRITE}`);
  await attempt.answer({ answerId: 'id-1', kind: 'line', text: 'one\n' });
  await attempt.answer({ answerId: 'id-1', kind: 'line', text: 'one\n' });
  await attempt.answer({ answerId: 'id-2', kind: 'line', text: 'two' });
  await get('handover');
  expect(messages.filter(({ type }) => type === 'answer_delivered')).toHaveLength(3);
});

test('answers the questions of the definition on a terminal', async () => {
  const dialogue = [{ expect: 'Open a browser? [Y/n]', send: 'y\r' }];
  const script = `printf 'Open a browser? [Y/n] '; read -r a; [ "$a" = y ] && ${WRITE}`;
  const { get } = signIn(script, { login: { io: 'pty', dialogue } });
  await expect(get('handover')).resolves.toBeDefined();
});

test('settling skips the wait for unchanged files, and says whether anything is held', async () => {
  const { attempt, home, get, messages } = signIn(`${WRITE}; touch ~/written; sleep 1000`, {
    success: { when: 'files' },
  });
  await vi.waitFor(() => statSync(join(home, 'written')));
  await expect(attempt.settle()).resolves.toBe(true);
  await get('handover');
  await expect(attempt.settle()).resolves.toBe(true);
  const ids = messages.flatMap((message) => (message.type === 'handover' ? [message.handoverId] : []));
  expect(new Set(ids).size).toBe(1);
});

test('settling gives a CLI whose files are complete a moment to end', async () => {
  const { attempt, home } = signIn(`${WRITE}; touch ~/written; sleep 0.5`);
  await vi.waitFor(() => statSync(join(home, 'written')));
  await expect(attempt.settle()).resolves.toBe(true);
});

test('settling offers nothing from a CLI that has not ended as it must', async () => {
  const { attempt, home, has } = signIn(`${WRITE}; touch ~/written; sleep 1000`);
  await vi.waitFor(() => statSync(join(home, 'written')));
  await expect(attempt.settle()).resolves.toBe(false);
  expect(has('handover')).toBe(false);
});

test('a CLI that is ended with its session says nothing about the sign-in', async () => {
  const { get, releaser, has } = signIn(`${WRITE}; sleep 1000`);
  await get('capability');
  await releaser.releaseAll();
  expect(has('cli_exited') || has('sign_in_failed') || has('handover')).toBe(false);
});

test('says that the CLI showed no sign-in page', async () => {
  const { get } = signIn('sleep 1000', {}, { change: ({ login }) => (login.url.timeoutSeconds = 0.2) });
  await expect(get('sign_in_failed')).resolves.toMatchObject({ code: 'cli_no_url' });
});
