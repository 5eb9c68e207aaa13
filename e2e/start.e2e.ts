/** Starting and refusing to start: each case ends with one clear sentence and does the right thing. No browser. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { CONTROLLER_ENTRY, startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

const FAKE = { VESTIBULE_RUNTIME: 'fake' };

let dataDir: string;
test.beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'vestibule-start-'));
  chmodSync(dataDir, 0o711);
});
test.afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Runs a controller that is expected to end by itself. */
function runToEnd(env: Record<string, string>): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CONTROLLER_ENTRY], {
      env: { ...process.env, VESTIBULE_PORT: '0', VESTIBULE_DATA_DIR: dataDir, ...FAKE, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.once('exit', (code) => resolve({ code, text }));
  });
}

async function withServer(
  env: Record<string, string>,
  work: (server: VestibuleServer) => Promise<void>,
): Promise<void> {
  const server = await startVestibule({ dataDir, env: { ...FAKE, ...env } });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
}

test('a second start while one is running says so, gives its link, and changes nothing', async () => {
  await withServer({}, async (server) => {
    const second = await runToEnd({});
    expect(second.text).toContain(`already running on ${dataDir} (process ${server.pid})`);
    expect(second.text).toContain(server.signInLink);
    expect(second.code).toBe(0);
    expect((await fetch(`${server.origin}/healthz`)).status).toBe(200);
  });
});

test('a start within a moment of Ctrl-C waits for the one that is stopping', async () => {
  const first = await startVestibule({ dataDir, env: FAKE });
  const stopped = first.stop();
  const second = await startVestibule({ dataDir, env: FAKE });
  expect(await stopped).toBe(0);
  expect(second.token).toBe(first.token);
  expect(await second.stop()).toBe(0);
});

test('a start after kill -9 takes over the database and says so', async () => {
  const first = await startVestibule({ dataDir, env: FAKE });
  await first.kill();
  const second = await startVestibule({ dataDir, env: FAKE });
  expect(second.output()).toContain('was ended abruptly; its database and browsers are taken over');
  expect(await second.stop()).toBe(0);
});

test('a port in use is named, with what to do', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as { port: number };
  const { code, text } = await runToEnd({ VESTIBULE_PORT: String(port) });
  holder.close();
  expect(code).toBe(1);
  expect(text).toContain(`Port ${port} on 127.0.0.1 is already used by`);
  expect(text).toContain(`VESTIBULE_PORT=${port + 1}`);
});

test('unknown and wrong settings are refused, all in one message, without their values', async () => {
  const { code, text } = await runToEnd({ VESTIBULE_PROT: '7081', VESTIBULE_GRACE_SECONDS: 'hunter2' });
  expect(code).toBe(1);
  expect(text).toContain('VESTIBULE_PROT is not a setting. Did you mean VESTIBULE_PORT?');
  expect(text).toContain('VESTIBULE_GRACE_SECONDS must be a whole number');
  expect(text).not.toContain('hunter2');
});

test('a data folder that cannot be made says which and what to do', async () => {
  const file = join(dataDir, 'file');
  writeFileSync(file, '');
  const { code, text } = await runToEnd({ VESTIBULE_DATA_DIR: join(file, 'data') });
  expect(code).toBe(1);
  expect(text).toContain('VESTIBULE_DATA_DIR');
  expect(text).not.toContain('at Object');
});

test('the master key is made with 0600; a missing or another one is refused, and nothing is overwritten', async () => {
  await withServer({}, async () => Promise.resolve());
  const keyFile = join(dataDir, 'master-key');
  const key = readFileSync(keyFile);
  rmSync(keyFile);
  const missing = await runToEnd({});
  expect(missing.code).toBe(1);
  expect(missing.text).toContain('is missing, and the database knows one already');
  expect(existsSync(keyFile)).toBe(false);
  writeFileSync(keyFile, 'not a key', { mode: 0o600 });
  const wrong = await runToEnd({});
  expect(wrong.code).toBe(1);
  expect(wrong.text).toContain(keyFile);
  writeFileSync(keyFile, key, { mode: 0o644 });
  chmodSync(keyFile, 0o644);
  const readable = await runToEnd({});
  expect(readable.code).toBe(1);
  expect(readable.text).toMatch(/chmod|0600|600/);
  chmodSync(keyFile, 0o600);
  await withServer({}, async () => Promise.resolve());
});

test('process off loopback is refused unless the shared kernel is accepted', async () => {
  const { code, text } = await runToEnd({ VESTIBULE_RUNTIME: 'process', VESTIBULE_HOST: '0.0.0.0' });
  expect(code).toBe(1);
  expect(text).toContain('VESTIBULE_ALLOW_SHARED_KERNEL=1');
});

test('a definition with problems stops the start and lists every one with its line', async () => {
  const folder = join(dataDir, 'providers');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'bad.yaml'),
    'id: Bad-Id\nname: Bad\ndescription: x\ninstall: { kind: npm, package: x, version: latest, bin: x }\nlogin: {}\ncredential: { files: [] }\nextra: 1\n',
  );
  const { code, text } = await runToEnd({ VESTIBULE_PROVIDERS_DIR: folder });
  expect(code).toBe(1);
  for (const part of ['bad.yaml:1', 'bad.yaml:4', 'pin one exact version', 'extra']) expect(text).toContain(part);
});

test('--help names every option and starts nothing', async () => {
  const text = await new Promise<string>((resolve) => {
    const child = spawn(process.execPath, [CONTROLLER_ENTRY, '--help'], {
      env: { ...process.env, VESTIBULE_DATA_DIR: join(dataDir, 'none') },
    });
    let all = '';
    child.stdout.on('data', (chunk: Buffer) => (all += chunk.toString()));
    child.once('exit', () => resolve(all));
  });
  for (const option of ['--port', '--data-dir', '--demo', '--runtime']) expect(text).toContain(option);
  expect(existsSync(join(dataDir, 'none'))).toBe(false);
});
