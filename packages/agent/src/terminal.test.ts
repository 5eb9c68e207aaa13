/** What the CLI writes and asks, as the person's terminal shows it, and what the person types. */
import { setTimeout as delay } from 'node:timers/promises';
import { MAX_OUTPUT_CHARS } from '@vestibule/protocol/agent-messages';
import { expect, test, vi } from 'vitest';
import { CREDENTIAL_PATH } from './testing-plan.ts';
import { OPEN, signIn, WRITE } from './testing-sign-in.ts';

const SECRET = 'sk-ant-oat01-CanaryCanaryCanary';

test('passes the output on in order, numbered without gaps, as a terminal takes it', async () => {
  const { get, messages, output } = signIn(
    `printf '\\033[1mHello\\033[0m\\n'; echo world >&2; sleep 0.2; echo bye; ${WRITE}`,
  );
  await get('handover');
  await vi.waitUntil(() => output().includes('bye'), 5000);
  expect(output()).toContain('\u001b[1mHello\u001b[0m\r\n');
  expect(output()).toContain('world\r\n');
  const numbers = messages.flatMap((message) => (message.type === 'output' ? [message.n] : []));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  expect(numbers.length).toBeGreaterThan(1);
});

test('a secret that is written in two pieces, with a pause, leaves the VM in none', async () => {
  const [head, tail] = [SECRET.slice(0, 15), SECRET.slice(15)];
  const script = `printf 'Your token: ${head}'; sleep 0.6; printf '${tail}'; sleep 0.6; echo; echo done; ${WRITE}`;
  const run = async (io: string): Promise<void> => {
    const { get, output } = signIn(script, { login: { io } });
    await get('handover');
    await vi.waitUntil(() => output().includes('done'), 5000);
    expect(output()).toContain('Your token: [redacted]\r\ndone');
    expect(output()).not.toMatch(/oat01|Canary/);
  };
  await Promise.all(['pipes', 'pty'].map(run));
});

test('shows all that was written before it says why the sign-in failed', async () => {
  const { get, messages } = signIn(`printf 'no end of line, ${SECRET}' >&2; exit 1`);
  await get('sign_in_failed');
  const types = messages.map(({ type }) => type);
  expect(types.lastIndexOf('output')).toBeLessThan(types.indexOf('sign_in_failed'));
  expect(messages).toContainEqual({ type: 'output', n: 1, text: 'no end of line, [redacted]' });
});

test('is bounded, and says so at its end', async () => {
  const { get, output } = signIn(`yes 'one line of many' | head -n 30000; ${WRITE}`);
  await get('handover');
  await vi.waitUntil(() => output().includes('not shown'), 5000);
  expect(output().length).toBeLessThanOrEqual(MAX_OUTPUT_CHARS);
  expect(output()).toMatch(/There was more output; it is not shown\.\]\r\n$/);
});

test.each(['pipes', 'pty'] as const)(
  'shows a question that the definition does not know, answers it never, and passes on the keys of the person, over %s',
  async (io) => {
    const dialogue = [{ expect: 'Theme?', send: io === 'pty' ? 'dark\r' : 'dark\n' }];
    const script = `printf 'Theme? '; read -r theme; printf 'Do you trust this folder? '; read -r trust
      [ "$theme $trust" = 'dark yes' ] && { ${OPEN}; ${WRITE}; }`;
    const { get, give, has, count } = signIn(script, { login: { io, dialogue } }, { promptQuietMs: 300 });
    await expect(get('prompt_shown')).resolves.toMatchObject({ text: 'Do you trust this folder?' });
    expect(has('url_opened')).toBe(false);
    await expect(give('keys', 'ye')).resolves.toBe('delivered');
    await expect(give('keys', 's\r')).resolves.toBe('delivered');
    await get('handover');
    expect(count('prompt_shown')).toBe(1);
  },
);

test('says that nobody answered, when that is why no sign-in page came', async () => {
  const { get } = signIn(
    `printf 'Select login method: token=abcdefgh '; read -r a`,
    {},
    {
      promptQuietMs: 200,
      change: ({ login }) => (login.url.timeoutSeconds = 2),
    },
  );
  await expect(get('sign_in_failed')).resolves.toMatchObject({
    code: 'unexpected_prompt',
    detail: 'Select login method: token=[redacted]',
  });
});

test('what the CLI waits for along with its sign-in page is no question', async () => {
  const { get, has, give } = signIn(
    `${OPEN}; printf 'Paste code here if prompted > '; read -r code; ${WRITE}`,
    {},
    { promptQuietMs: 200 },
  );
  await get('offer');
  await delay(600);
  expect(has('prompt_shown')).toBe(false);
  await give('line', 'done');
  await get('handover');
});

test('keys that are pasted at once are a secret, also where the terminal shows them', async () => {
  const { get, give, output } = signIn(
    `read -r key; ${WRITE.replace('"t"', '"another"')}; echo over; cat ~/${CREDENTIAL_PATH}`,
    {
      login: { io: 'pty' },
    },
  );
  await get('capability');
  await give('keys', 'pasted-canary\r');
  await get('handover');
  await vi.waitUntil(() => output().includes('over'), 5000);
  expect(output()).not.toContain('pasted-canary');
});
