/** The command as it is started in a clone, against the real server with the runtime `fake`. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { findProductFolder } from './product-folder.ts';
import { findFreePort } from './testing-server.ts';
import { startThrowawayServer, type ThrowawayServer } from './throwaway-server.ts';

const DEFINITION = `
id: mini
name: Mini
description: A tool for tests.
notice: { title: Read this, text: It is a test. }
install: { kind: bundled, folder: mini, version: 1.0.0, bin: mini.mjs }
login: { args: [login] }
modes: [own_browser, device_code, token]
ways:
  device_code: { codePattern: '[A-Z]{4}-[A-Z]{4}', urlPattern: 'https://\\S+' }
  token: { kinds: [{ id: key, name: Key, hint: From the settings., pattern: '^key-', input: stdin }] }
credential:
  files: [{ path: .mini/auth.json, format: json, required: [token] }]
  account: { file: .mini/auth.json, field: account }
`;

let folder: string;
let server: ThrowawayServer;
let removeServer: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vestibule-command-'));
  mkdirSync(join(folder, 'mini'));
  writeFileSync(join(folder, 'mini', 'mini.mjs'), '#!/usr/bin/env node\n', { mode: 0o755 });
  writeFileSync(join(folder, 'mini.yaml'), DEFINITION);
  server = await startThrowawayServer({
    file: join(folder, 'mini.yaml'),
    env: {
      ...loadConfig(process.env).programEnvironment,
      VESTIBULE_FAKE_SCRIPT: JSON.stringify({ deviceApprovedAfterMs: 2500 }),
    },
    runtime: 'fake',
    say: () => undefined,
  });
  removeServer = server.remove;
}, 120_000);

afterAll(async () => {
  await removeServer();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

type Told = Record<string, unknown> & { type: string };
type Ran = { code: number | null; told: Told[]; text: string };
type RunOptions = { input?: string; env?: Record<string, string>; onTold?: (told: Told) => void };

/** Starts the command with --json. */
function vestibule(args: readonly string[], { input = '', env = {}, onTold }: RunOptions = {}): Promise<Ran> {
  const bin = join(findProductFolder().root, 'packages', 'cli', 'bin', 'vestibule.mjs');
  const child = spawn(process.execPath, [bin, '--json', ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      VESTIBULE_SERVER: server.server,
      VESTIBULE_TOKEN: server.token.reveal(),
      ...env,
    },
  });
  child.stdin.end(input);
  const told: Told[] = [];
  let text = '';
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const one = JSON.parse(line) as Told;
      told.push(one);
      onTold?.(one);
    }
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, told, text })));
}

test('what is not offered before its notice was accepted is, afterwards', async () => {
  const [before, unasked] = await Promise.all([
    vestibule(['connect', 'mini', '--no-open']),
    vestibule(['providers', 'accept', 'mini']),
  ]);
  expect([before.code, before.told.at(-1)]).toMatchObject([5, { type: 'error', exit: 'not_offered' }]);
  expect(unasked.code).toBe(6);
  expect((await vestibule(['providers', 'accept', 'mini', '--yes'])).code).toBe(0);
  const [listed] = (await vestibule(['providers', 'list'])).told;
  expect(listed?.['providers']).toContainEqual(expect.objectContaining({ id: 'mini', available: true }));
});

test('from an own browser to a stored login: one request comes to the port here, and all ends well', async () => {
  const pages: Promise<string>[] = [];
  const { code, told } = await vestibule(['connect', 'mini', '--no-open'], {
    onTold: ({ type, url }) => {
      if (type !== 'link') return;
      const link = new URL(String(url));
      const callback = new URL(link.searchParams.get('redirect_uri') ?? '');
      callback.search = new URLSearchParams({ code: 'c', state: link.searchParams.get('state') ?? '' }).toString();
      pages.push(fetch(callback).then((answer) => answer.text()));
    },
  });
  expect(code).toBe(0);
  expect(told.at(-1)).toMatchObject({ type: 'end', session: { status: 'completed', mode: 'own_browser' } });
  expect(await Promise.all(pages)).toEqual([expect.stringContaining('Connected')]);
});

test('a device code is told with its time, and the sign-in ends when it was typed elsewhere', async () => {
  const { code, told } = await vestibule(['connect', 'mini', '--mode', 'device_code', '--user', 'ada']);
  expect(code).toBe(0);
  expect(told.find(({ type }) => type === 'device_code')).toHaveProperty('deviceCode');
});

test('a token goes from the input to the program and is shown nowhere; another account than wanted stores nothing', async () => {
  const args = ['connect', 'mini', '--mode', 'token', '--user', 'bob'];
  const input = 'key-canary-of-a-test\n';
  const refused = await vestibule([...args, '--expected-account', 'bob@elsewhere.test'], { input });
  expect([refused.code, refused.told.at(-1)]).toMatchObject([1, { session: { errorCode: 'wrong_account' } }]);
  expect((await vestibule(['credentials', '--user', 'bob'])).told[0]).toMatchObject({ credentials: [] });
  const taken = await vestibule(args, { input });
  expect(taken.code).toBe(0);
  expect(refused.text + taken.text).not.toContain('canary');
});

test('a login of this machine is taken over without being shown, and one that is not whole is not', async () => {
  const home = join(folder, 'home');
  mkdirSync(join(home, '.mini'), { recursive: true });
  const args = ['import', 'mini', '--user', 'eve', '--home', home];
  const none = await vestibule([...args, '--yes']);
  writeFileSync(join(home, '.mini', 'auth.json'), JSON.stringify({ token: '', account: 'canary' }));
  const [blank, unasked] = await Promise.all([vestibule([...args, '--yes']), vestibule(args)]);
  expect([none.code, blank.code, unasked.code]).toEqual([1, 1, 6]);
  writeFileSync(join(home, '.mini', 'auth.json'), JSON.stringify({ token: 'canary-of-a-login', account: 'eve' }));
  const imported = await vestibule([...args, '--yes']);
  expect([imported.code, imported.told.at(-1)]).toMatchObject([
    0,
    { credential: { source: 'import', account: 'eve' } },
  ]);
  expect(blank.text + imported.text).not.toContain('canary');
});

test('a server that is not there, a token that is not its own and a provider it does not know each have an exit code', async () => {
  const gone = `http://127.0.0.1:${await findFreePort()}`;
  const wrong = 'another-operator-token-0123456789-abcdefgh';
  const ran = await Promise.all([
    vestibule(['sessions'], { env: { VESTIBULE_SERVER: gone } }),
    vestibule(['sessions'], { env: { VESTIBULE_TOKEN: wrong } }),
    vestibule(['connect', 'nobody']),
    vestibule(['conect']),
  ]);
  expect(ran.map(({ code }) => code)).toEqual([3, 4, 5, 2]);
});

test('says that nothing is left of machines, and has nothing to remove', async () => {
  const [seen, removed] = [await vestibule(['fleet', 'gc', '--dry-run']), await vestibule(['fleet', 'gc'])];
  expect([seen.code, seen.told]).toEqual([0, [expect.objectContaining({ type: 'leftovers', leftovers: [] })]]);
  const nothing = { type: 'leftovers_removed', found: [], remaining: [] };
  expect([removed.code, removed.told]).toEqual([0, [expect.objectContaining(nothing)]]);
});
