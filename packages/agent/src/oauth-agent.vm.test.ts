/**
 * The agent's bundle as a browser VM runs it: unprivileged, in bubblewrap without any network, with the real display and the real browser
 * under the managed policy. Keys are typed into the display as the live view does it.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { buildAgent, findMissingPrograms, startGuest, type AgentBuild } from './testing-guest.ts';
import { TestController } from './testing-controller.ts';
import { createPlan, CREDENTIAL_PATH } from './testing-plan.ts';
import { RfbTypist } from './testing-rfb-typist.ts';

const missing = findMissingPrograms();
const required = (process.env['REQUIRE'] ?? '').split(',').some((name) => ['chromium', 'bubblewrap'].includes(name));
if (missing.length > 0) {
  const hint = `the agent's VM tests need: apt-get install ${missing.join(' ')}`;
  if (required) throw new Error(hint);
  console.warn(`skipped: ${hint}`);
}

/**
 * A CLI whose sign-in page takes what is typed into the field that has the focus; it keeps that as its token. The page takes whole words
 * only: the first key strokes may come before it is there.
 */
const CLI = `#!/usr/bin/env node
const http = require('node:http'), fs = require('node:fs'), { spawn } = require('node:child_process');
const server = http.createServer((request, response) => {
  const token = new URL(request.url, 'http://x').searchParams.get('token');
  response.setHeader('content-type', 'text/html');
  if (token === null) return response.end('<title>Sign-in</title><form><input name="token" pattern=".*(typed by hand|after all)" required autofocus></form>');
  response.end('Done', () => {
    fs.mkdirSync(process.env.HOME + '/.tool');
    fs.writeFileSync(process.env.HOME + '/${CREDENTIAL_PATH}', JSON.stringify({ token }));
    process.exit(0);
  });
}).listen(0, '127.0.0.1', () => spawn(process.env.BROWSER, ['http://127.0.0.1:' + server.address().port + '/?state=secret']));
`;
const PLAN = createPlan('/opt/vestibule/layer/cli');

let build: AgentBuild;
beforeAll(async () => {
  if (missing.length > 0) return;
  build = await buildAgent(CLI);
  return () => rmSync(build.dir, { recursive: true, force: true });
});

/** A socket's file is there a moment before anybody listens on it. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('error', () => resolve(false));
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
  });
}

async function connectTo(guest: { runDir: string }): Promise<TestController> {
  const path = join(guest.runDir, 'agent.sock');
  await vi.waitUntil(() => isListening(path), { timeout: 20_000, interval: 10 });
  return new TestController(path);
}

test.skipIf(missing.length > 0)(
  'a person types into the display without clicking, the CLI ends, the login is handed over, and the VM ends with 1',
  async () => {
    const guest = await startGuest(build);
    const controller = await connectTo(guest);
    await expect(controller.get('hello')).resolves.toMatchObject({
      buildId: build.buildId,
      abilities: ['pipes', 'pty', 'vm_browser'],
    });
    controller.claim(PLAN);
    await controller.get('capability', ({ name, ready }) => name === 'display' && ready);
    await controller.get('capability', ({ name, ready }) => name === 'browser' && ready);
    const opened = await controller.get('url_opened');
    expect(opened.from).toBe('browser_shim');
    expect(opened.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);

    const typist = await RfbTypist.connect(join(guest.runDir, 'rfb.sock'));
    const offered = controller.get('handover');
    await typist.typeUntil('typed by hand\n', offered);
    const { files } = await offered;
    const text = Buffer.from(files[0]!.contentBase64, 'base64').toString();
    expect(text).toMatch(/"token":".*typed by hand/);

    controller.send({ type: 'release' });
    await typist.closed;
    const again = await connectTo(guest);
    again.claim(PLAN, { epoch: 2 });
    await expect(again.get('handover')).resolves.toEqual(await offered);
    again.send({ type: 'shutdown' });
    await expect(guest.exited).resolves.toEqual({ exitCode: 1, signal: null });
    expect(guest.log()).not.toContain('secret');
    expect(guest.log()).not.toContain('typed by hand');
  },
);

test.skipIf(missing.length > 0)('display and browser are ready before anybody claims the VM', async () => {
  const guest = await startGuest(build);
  await vi.waitUntil(() => guest.log().includes('"capability ready","name":"browser"'), {
    timeout: 30_000,
    interval: 20,
  });
  const controller = await connectTo(guest);
  controller.claim(PLAN);
  await controller.get('url_opened');
  const names = controller.received.flatMap((message) =>
    message.type === 'capability' && message.ready ? [message.name] : [],
  );
  expect(names.slice(0, 2)).toEqual(['display', 'browser']);
});

test.skipIf(missing.length > 0)('a browser that is killed comes back with the sign-in page', async () => {
  const guest = await startGuest(build);
  const controller = await connectTo(guest);
  controller.claim(PLAN);
  await controller.get('url_opened');
  guest.killBrowser();
  await vi.waitUntil(() => guest.log().includes('"browser ended"'), { timeout: 10_000 });
  const typist = await RfbTypist.connect(join(guest.runDir, 'rfb.sock'));
  const offered = controller.get('handover');
  await typist.typeUntil('after all\n', offered);
  await expect(offered).resolves.toBeDefined();
});

test.skipIf(missing.length > 0)('the display takes viewers on its socket, and on no port', async () => {
  const guest = await startGuest(build);
  const controller = await connectTo(guest);
  controller.claim(PLAN);
  await controller.get('url_opened');
  const viewer = connect(join(guest.runDir, 'rfb.sock'));
  const [greeting] = (await once(viewer, 'data')) as [Buffer];
  viewer.destroy();
  expect(greeting.toString()).toMatch(/^RFB 003\.008/);
  // The waiting page's and the CLI's own: neither the display nor a debugger of the browser has one.
  expect(guest.listeningTcpPorts()).toHaveLength(2);
});

test.skipIf(missing.length > 0)('a VM whose display cannot start fails the sign-in in words', async () => {
  const guest = await startGuest(build, { without: '/usr/bin/Xtigervnc' });
  const controller = await connectTo(guest);
  controller.claim(PLAN);
  await expect(controller.get('sign_in_failed')).resolves.toMatchObject({ code: 'browser_failed' });
  await expect(controller.get('capability', ({ name }) => name === 'display')).resolves.toMatchObject({ ready: false });
});
