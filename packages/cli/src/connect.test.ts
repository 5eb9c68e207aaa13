import { afterEach, expect, test } from 'vitest';
import type { Session } from '@vestibule/protocol/api';
import { toCliError, type CliError, type Exit } from './cli-error.ts';
import { connect, type ConnectFlags } from './commands/connect.ts';
import type { Interrupts } from './interrupts.ts';
import { createTestCli, type TestCli, type Told } from './testing-cli.ts';
import { close, findFreePort, serve } from './testing-server.ts';
import {
  startTestVestibule,
  TEST_PROVIDER,
  toTestOffer,
  type TestVestibule,
  type TestVestibuleOptions,
} from './testing-vestibule.ts';

const releasers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const release of releasers.splice(0).toReversed()) await release();
});

type Running = Omit<TestCli, 'told' | 'close' | 'cli'> & {
  server: TestVestibule;
  interrupts: Interrupts;
  told(type: string): Promise<Told>;
  ended: Promise<Exit>;
};

type RunOptions = TestVestibuleOptions & { flags?: Partial<ConnectFlags>; name?: string; isJson?: boolean };

async function run({ flags, name = 'tool', isJson = true, ...options }: RunOptions = {}): Promise<Running> {
  const server = await startTestVestibule(options);
  const { cli, input, text, told, close } = createTestCli(server.origin, isJson);
  releasers.push(() => server.close(), close);
  const ended = connect(cli, name, { user: 'me', open: false, ...flags });
  ended.catch(() => undefined);
  return { server, input, text, interrupts: cli.interrupts, ended, told: (type) => told(type, ended) };
}

const COMPLETED: Partial<Session> = {
  status: 'completed',
  account: 'ada@example.test',
  grade: 'cli_says_so',
  credentialVersion: 3,
};

async function toBrowserOffer(port?: number): Promise<{ port: number; offer: ReturnType<typeof toTestOffer> }> {
  const given = port ?? (await findFreePort());
  const redirect = encodeURIComponent(`http://localhost:${given}/callback`);
  const url = `https://sign-in.example.test/?state=s-1&redirect_uri=${redirect}`;
  return {
    port: given,
    offer: toTestOffer({ url, callback: { port: given, path: '/callback' }, accepts: ['callback'] }),
  };
}

test('own browser: the callback is passed on, and browser and terminal say Connected once the session has ended', async () => {
  const running = await run({ onAnswer: () => running.server.push(COMPLETED, 'credential_stored') });
  const { port, offer } = await toBrowserOffer();
  running.server.offer(offer);
  await running.told('link');
  const answer = await fetch(`http://localhost:${port}/callback?code=c-1&state=s-1`);
  expect(await answer.text()).toMatch(/Connected.*ada@example\.test/s);
  expect(await running.ended).toBe('done');
  expect(running.server.answers).toEqual([
    { kind: 'callback', text: `http://127.0.0.1:${port}/callback?code=c-1&state=s-1` },
  ]);
  expect(await running.told('end')).toMatchObject({ session: { status: 'completed', credentialVersion: 3 } });
});

test('own browser: when it fails afterwards, browser and terminal say why, and it ends with 1', async () => {
  const errorMessage = 'That is another account than asked for.';
  const running = await run({
    isJson: false,
    onAnswer: () => running.server.push({ status: 'failed', errorMessage }, 'session_failed'),
  });
  const { port, offer } = await toBrowserOffer();
  running.server.offer(offer);
  let answer = await fetch(`http://127.0.0.1:${port}/callback?code=c&state=s-1`).catch(() => null);
  while (answer === null) answer = await fetch(`http://127.0.0.1:${port}/callback?code=c&state=s-1`).catch(() => null);
  expect(await answer.text()).toContain(errorMessage);
  expect(await running.ended).toBe('failed');
  expect(running.text()).toContain(errorMessage);
});

test('own browser: an answer that the server does not take is told, and the next one is taken', async () => {
  let tries = 0;
  const running = await run({
    judge: () => (tries++ === 0 ? { status: 409, code: 'answer_refused', detail: 'Not that one.' } : null),
    onAnswer: () => running.server.push(COMPLETED),
  });
  const { port, offer } = await toBrowserOffer();
  running.server.offer(offer);
  await running.told('link');
  const callback = `http://127.0.0.1:${port}/callback?code=c&state=s-1`;
  expect(await (await fetch(callback)).text()).toContain('Not that one.');
  expect(await (await fetch(callback)).text()).toContain('Connected');
  expect(await running.ended).toBe('done');
});

test('own browser: with the port in use, the pasted address is taken instead', async () => {
  const other = await serve(() => undefined);
  releasers.push(() => close(other));
  const running = await run({ onAnswer: () => running.server.push(COMPLETED) });
  const { offer } = await toBrowserOffer(other.port);
  running.server.offer(offer);
  expect(await running.told('not_listening')).toMatchObject({ port: other.port, problem: 'in_use' });
  await running.told('paste_wanted');
  running.input.write('http://localhost/elsewhere\n');
  running.input.write(`http://localhost:${other.port}/callback?code=c&state=s-1\n`);
  expect(await running.ended).toBe('done');
  expect(running.server.answers).toHaveLength(1);
});

test('a way changed in the page is followed: the old port is let go, the code is shown', async () => {
  const running = await run();
  const { port, offer } = await toBrowserOffer();
  running.server.offer(offer);
  await running.told('listening');
  running.server.push({ way: 2, mode: 'device_code', offered: false }, 'mode_changed');
  running.server.offer(
    toTestOffer({ mode: 'device_code', url: 'https://x.test/device', deviceCode: 'ABCD-1234', validForMs: 900_000 }),
    2,
  );
  expect(await running.told('device_code')).toMatchObject({ deviceCode: 'ABCD-1234', validForMs: 900_000 });
  await expect(fetch(`http://127.0.0.1:${port}/callback`)).rejects.toThrow();
  running.server.push(COMPLETED, 'credential_stored');
  expect(await running.ended).toBe('done');
});

test('a token is read from the input, judged by its form, and never shown', async () => {
  const running = await run({ flags: { mode: 'token' }, onAnswer: () => running.server.push(COMPLETED) });
  running.server.offer(toTestOffer({ mode: 'token', accepts: ['token'] }));
  await running.told('token_wanted');
  running.input.write('key-secret-canary\n');
  expect(await running.ended).toBe('done');
  expect(running.server.answers).toEqual([{ kind: 'token', tokenKind: 'key', text: 'key-secret-canary' }]);
  expect(running.text()).not.toContain('canary');
});

test('no token on the input ends it in words instead of waiting for ever', async () => {
  const running = await run({ flags: { mode: 'token' } });
  running.server.offer(toTestOffer({ mode: 'token', accepts: ['token'] }));
  running.input.end();
  expect((await toProblem(running.ended)).exit).toBe('no_answer');
  expect(running.server.requests.at(-1)).toMatch(/\/cancel$/);
});

test('a question of the program is shown, and a line answers it', async () => {
  const running = await run({
    onAnswer: () => running.server.push({ ...COMPLETED, prompt: null }),
  });
  running.server.push({ prompt: 'Continue? [Y/n]' }, 'prompt_shown');
  expect(await running.told('prompt')).toMatchObject({ text: 'Continue? [Y/n]' });
  running.input.write('y\n');
  expect(await running.ended).toBe('done');
  expect(running.server.answers).toEqual([{ kind: 'line', text: 'y' }]);
});

test('the first Ctrl-C asks for the end, and the end is what the server says', async () => {
  const running = await run({
    onCancel: () =>
      running.server.push({ status: 'cancelled', errorMessage: 'It was cancelled.' }, 'session_cancelled'),
  });
  await running.told('session');
  running.interrupts.raise();
  expect(await running.ended).toBe('failed');
  expect(await running.told('end')).toMatchObject({ session: { status: 'cancelled' } });
});

test('a stream that drops is taken up again, and no step is told twice', async () => {
  const running = await run();
  running.server.push({ status: 'vm_created' }, 'vm_creating', 'vm_claimed');
  await running.told('step');
  running.server.drop();
  await running.told('warning');
  running.server.push(COMPLETED, 'credential_stored');
  expect(await running.ended).toBe('done');
  const steps = running
    .text()
    .split('\n')
    .filter((line) => line.includes('"type":"step"'))
    .map((line) => (JSON.parse(line) as { seq: number }).seq);
  expect(steps).toEqual([1, 2, 3]);
});

async function toProblem(ended: Promise<unknown>): Promise<CliError> {
  const error: unknown = await ended.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  return toCliError(error, 'http://x');
}

test('what is not offered is told before anything is begun, with what to do', async () => {
  const notice = { title: 'Read this', text: 'Text.', hash: 'h', acceptedAt: null };
  const cases: [RunOptions, RegExp][] = [
    [{ name: 'nobody' }, /knows no provider called nobody.*It offers: tool/],
    [{ flags: { mode: 'device_code' } }, /its maker turned them off.*There is: vm_browser/],
    [{ provider: { ...TEST_PROVIDER, notice, available: false } }, /vestibule providers accept tool/],
    [{ provider: { ...TEST_PROVIDER, available: false, reason: 'No room.' } }, /No room\./],
  ];
  for (const [options, words] of cases) {
    const { ended, server } = await run(options);
    const problem = await toProblem(ended);
    expect(problem.exit).toBe('not_offered');
    expect(problem.message).toMatch(words);
    expect(server.requests.filter((request) => request.endsWith('/events'))).toEqual([]);
  }
});
