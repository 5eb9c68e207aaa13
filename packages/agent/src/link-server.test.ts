import { statSync } from 'node:fs';
import { join } from 'node:path';
import { LINK_VERSION, MAX_LINE_BYTES } from '@vestibule/protocol/agent-messages';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Claim, Command } from './link-claims.ts';
import { listenForLinks } from './link-server.ts';
import { createOutbox } from './outbox.ts';
import { TestController } from './testing-controller.ts';
import { createFolder } from './testing-folder.ts';
import { createPlan } from './testing-plan.ts';

const HELLO = {
  type: 'hello',
  version: LINK_VERSION,
  vmId: 'vm_1',
  bootNonce: '12345678',
  buildId: 'build',
  abilities: [],
} as const;
const PLAN = createPlan('/bin/true');
const OPENED = { type: 'url_opened', from: 'output', origin: 'https://id.example/' } as const;

async function listen() {
  const path = join(createFolder(), 'agent.sock');
  const claims: Claim[] = [];
  const commands: Command[] = [];
  const outbox = createOutbox();
  const server = await listenForLinks({
    path,
    hello: { ...HELLO, abilities: [] },
    outbox,
    onClaim: (claim) => claims.push(claim),
    onCommand: (command) => commands.push(command),
    log: () => undefined,
  });
  onTestFinished(server.close);
  return { path, outbox, claims, commands, server };
}

test('speaks first, and can be reached by its own user alone', async () => {
  const { path } = await listen();
  await expect(new TestController(path).get('hello')).resolves.toMatchObject({ vmId: 'vm_1' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('tells a new link everything again, in order, and the old one nothing more', async () => {
  const { path, outbox, claims } = await listen();
  outbox.post({ type: 'capability', name: 'display', ready: true, afterMs: 5 });
  const first = new TestController(path);
  first.claim(PLAN);
  await first.get('capability');
  outbox.post(OPENED);
  await first.get('url_opened');

  const second = new TestController(path);
  second.claim(PLAN, { epoch: 2 });
  await second.get('url_opened');
  expect(second.types()).toEqual(['hello', 'capability', 'url_opened']);
  await first.closed;
  expect(claims).toHaveLength(1);

  outbox.post({ type: 'cli_exited', exitCode: 0, signal: null });
  await second.get('cli_exited');
  expect(first.types()).not.toContain('cli_exited');
});

test('refuses a claim for another session, and goes on serving its own', async () => {
  const { path, outbox } = await listen();
  const own = new TestController(path);
  own.claim(PLAN);
  await vi.waitFor(() => expect(own.types()).toContain('hello'));
  const foreign = new TestController(path);
  foreign.claim(PLAN, { epoch: 9, sessionId: '00000000-0000-4000-8000-00000000000f' });
  await foreign.closed;
  outbox.post(OPENED);
  await own.get('url_opened');
  expect(foreign.types()).toEqual(['hello']);
});

test.each([
  ['an older epoch', { epoch: 4 }],
  ['the same epoch', { epoch: 5 }],
  ['another version of the protocol', { epoch: 6, version: LINK_VERSION + 1 }],
])('refuses a claim with %s', async (_what, claim) => {
  const { path, outbox } = await listen();
  outbox.post(OPENED);
  const present = new TestController(path);
  present.claim(PLAN, { epoch: 5 });
  await present.get('url_opened');
  const late = new TestController(path);
  late.claim(PLAN, claim);
  await late.closed;
  expect(late.types()).toEqual(['hello']);
});

test.each([
  ['speaks before its claim', '{"type":"release"}\n'],
  ['sends no JSON', 'GET / HTTP/1.1\n'],
  ['sends an unknown message', '{"type":"open_door"}\n'],
  ['sends a line that is too long', 'x'.repeat(MAX_LINE_BYTES + 1)],
])('ends a link that %s', async (_what, text) => {
  const { path, commands } = await listen();
  const link = new TestController(path);
  link.sendRaw(text);
  await link.closed;
  expect(commands).toEqual([]);
});

test('gives the commands of the link that counts, in order', async () => {
  const { path, commands } = await listen();
  const link = new TestController(path);
  link.claim(PLAN);
  link.send({ type: 'settle', settleId: 'a' });
  link.send({ type: 'release' });
  await vi.waitFor(() => expect(commands.map(({ type }) => type)).toEqual(['settle', 'release']));
});

test('a later claim that tells of another way is a change of the way, once', async () => {
  const { path, claims, commands } = await listen();
  for (const [epoch, way] of [
    [1, 2],
    [2, 2],
    [3, 3],
    [4, 3],
  ] as const) {
    const link = new TestController(path);
    link.claim(PLAN, { epoch, way, mode: 'own_browser' });
    link.send({ type: 'settle', settleId: String(epoch) });
    await vi.waitFor(() => expect(commands.at(-1)).toMatchObject({ settleId: String(epoch) }));
  }
  expect(claims).toMatchObject([{ way: 2 }]);
  const changes = commands.filter(({ type }) => type === 'change_way');
  expect(changes).toMatchObject([{ way: 3, mode: 'own_browser' }]);
});

test('sends what it still has to say before it closes', async () => {
  const { path, outbox, server } = await listen();
  const link = new TestController(path);
  link.claim(PLAN);
  await link.get('hello');
  await vi.waitFor(() => {
    outbox.post(OPENED);
    expect(link.types()).toContain('url_opened');
  });
  outbox.post({ type: 'cli_exited', exitCode: 0, signal: null });
  await server.close();
  await link.get('cli_exited');
});
