/** What a `fake` VM does by its script, as the controller meets it: over the runtime's own channels. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { loginPlanSchema, toHandoverBytes } from '@vestibule/protocol/agent-messages';
import { createFakeRuntime, type FakeRuntime } from '../runtimes/fake-runtime.ts';
import type { FakeJournalLine } from './fake-journal.ts';
import { parseFakeScripts, toFakeScript, type FakeScript } from './fake-script.ts';
import { AgentClient } from './testing-agent-client.ts';

const dir = mkdtempSync(join(tmpdir(), 'vestibule-fake-agent-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const PLAN = loginPlanSchema.parse({
  provider: 'demo',
  program: '/opt/vestibule/layer/demo',
  login: { url: { from: ['browser_shim'], pattern: '^https://' }, callbackPort: 1455 },
  success: { when: 'exit_zero', use: { args: ['ping'], description: 'Asks for the time.' } },
  credential: {
    files: [{ path: '.demo/auth.json', format: 'json', required: ['tokens.access_token', 'tokens.refresh_token'] }],
    account: { file: '.demo/auth.json', field: 'user.email' },
    expiresAt: { file: '.demo/auth.json', field: 'tokens.expires_at', unit: 'seconds' },
  },
  ways: {
    own_browser: { accepts: ['callback', 'code'], codeUrlPattern: 'code' },
    device_code: { codePattern: '.', urlPattern: '.', validSeconds: 300 },
    token: {
      kinds: [
        {
          id: 'key',
          name: 'API key',
          hint: 'From the settings.',
          pattern: '^sk-',
          input: 'files',
          credential: { files: [{ path: '.demo/key', format: 'text' }] },
        },
      ],
    },
  },
});

let vm: { runtime: FakeRuntime; vmId: string };
afterEach(() => vm.runtime.destroy(vm.vmId));

async function start(differences: Parameters<typeof toFakeScript>[0] = {}): Promise<AgentClient> {
  const script: FakeScript = toFakeScript(differences);
  const runtime = createFakeRuntime({ installationId: 'agent1', vmsDir: join(dir, 'vms'), script: () => script });
  vm = { runtime, vmId: `vm_agent1_${randomBytes(4).toString('hex')}` };
  await runtime.create({ vmId: vm.vmId, slot: 0, layer: null, epoch: 1 });
  return dial();
}
async function dial(): Promise<AgentClient> {
  return new AgentClient(await vm.runtime.connect(vm.vmId, 'agent'));
}

it('waits for a click, then hands over a credential with every required field, its hash, account and expiry', async () => {
  const agent = await start();
  agent.claim(PLAN);
  await agent.next('url_opened');
  expect(agent.received.filter(({ type }) => type === 'capability')).toHaveLength(4);
  vm.runtime.control(vm.vmId).signIn();
  const handover = await agent.next('handover');
  expect(agent.received.at(-2)).toMatchObject({ type: 'cli_exited', exitCode: 0 });
  expect(handover.contentHash).toBe(createHash('sha256').update(toHandoverBytes(handover.files)).digest('hex'));
  const [file] = handover.files;
  const document = JSON.parse(Buffer.from(file?.contentBase64 ?? '', 'base64').toString()) as Record<
    string,
    Record<string, unknown>
  >;
  expect(document['tokens']?.['access_token']).toMatch(/^fake-[0-9a-f]{32}$/);
  expect(document['tokens']?.['refresh_token']).not.toBe(document['tokens']?.['access_token']);
  expect(handover.account).toBe(document['user']?.['email']);
  expect(new Date(handover.expiresAt ?? '').getTime() / 1000).toBeCloseTo(
    Number(document['tokens']?.['expires_at']),
    -1,
  );
});

it('signs in by itself when the script says so, and by an answer, which it confirms each time and takes once', async () => {
  const auto = await start({ signIn: 'auto' });
  auto.claim(PLAN);
  await auto.next('handover');
  await vm.runtime.destroy(vm.vmId);

  const agent = await start();
  agent.claim(PLAN);
  agent.send({ type: 'answer', answerId: 'a', text: 'code' });
  agent.send({ type: 'answer', answerId: 'a', text: 'code' });
  await agent.next('handover');
  expect(agent.received.filter(({ type }) => type === 'answer_delivered')).toHaveLength(2);
  expect(agent.received.filter(({ type }) => type === 'handover')).toHaveLength(1);
});

it('offers the same hand-over again at every new link, also after it was stored', async () => {
  const first = await start({ signIn: 'auto' });
  first.claim(PLAN, 1);
  const handover = await first.next('handover');
  first.send({ type: 'handover_answer', handoverId: handover.handoverId, result: 'stored' });
  const second = await dial();
  second.claim(PLAN, 2);
  expect(await second.next('handover')).toEqual(handover);
  await first.end();
  vm.runtime.control(vm.vmId).dropLinks();
  await second.end();
  const third = await dial();
  third.claim(PLAN, 3);
  expect(await third.next('handover')).toEqual(handover);
});

it('refuses a link whose epoch is not higher than one it has served', async () => {
  const present = await start();
  present.claim(PLAN, 5);
  await present.next('url_opened');
  const stale = await dial();
  stale.claim(PLAN, 5);
  await stale.end();
  expect(stale.received.map(({ type }) => type)).toEqual(['hello']);
  expect(present.hasEnded).toBe(false);
});

it('says when it settles whether it holds something', async () => {
  const agent = await start();
  agent.claim(PLAN);
  agent.send({ type: 'settle', settleId: 's1' });
  expect(await agent.next('settled')).toEqual({ type: 'settled', settleId: 's1', holding: false });
  vm.runtime.control(vm.vmId).signIn();
  await agent.next('handover');
  agent.received.length = 0;
  agent.send({ type: 'settle', settleId: 's2' });
  expect(await agent.next('settled')).toEqual({ type: 'settled', settleId: 's2', holding: true });
});

it.each([
  [{ credential: 'blank' }, 'credential_blank', 'blank_field'],
  [{ credential: 'half_written' }, 'credential_unreadable', 'unreadable'],
  [{ credential: 'not_json' }, 'credential_unreadable', 'unreadable'],
  [{ credential: 'huge' }, 'credential_too_large', 'too_large'],
] as const)('with %j offers nothing, and fails with %s', async (differences, code, problem) => {
  const agent = await start({ signIn: 'auto', ...differences });
  agent.claim(PLAN);
  expect(await agent.next('sign_in_failed')).toMatchObject({ code });
  expect(await agent.next('credential_incomplete')).toMatchObject({ path: '.demo/auth.json', problem });
  expect(agent.received.some(({ type }) => type === 'handover')).toBe(false);
});

it('fails with the exit code of a CLI that signed nobody in', async () => {
  const agent = await start({ signIn: 'auto', credential: 'none', cliExitCode: 41 });
  agent.claim(PLAN);
  expect(await agent.next('sign_in_failed')).toMatchObject({ code: 'cli_exited', detail: '41' });
});

it.each(['blank', 'half_written', 'not_json'] as const)(
  'hands over a %s credential all the same when it does not look',
  async (credential) => {
    const agent = await start({ signIn: 'auto', credential, unchecked: true });
    agent.claim(PLAN);
    const { files } = await agent.next('handover');
    const text = Buffer.from(files[0]?.contentBase64 ?? '', 'base64').toString();
    if (credential === 'blank') expect(JSON.parse(text)).toMatchObject({ tokens: { access_token: '' } });
    else expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  },
);

it.each(['boot', 'claimed', 'url_opened', 'signed_in', 'handed_over'] as const)(
  'ends with the code it is told to when it reaches: %s',
  async (when) => {
    const agent = await start({ signIn: 'auto', exit: { when, code: 9 } }).catch(() => null);
    agent?.claim(PLAN);
    await agent?.end();
    expect(await vm.runtime.inspect(vm.vmId)).toMatchObject({ state: 'exited', exit: { exitCode: 9 } });
    // What it said before its end was still read.
    expect(agent?.received.some(({ type }) => type === 'handover') ?? false).toBe(when === 'handed_over');
  },
);

it('ends with code 1 when it is told to shut down', async () => {
  const agent = await start();
  agent.claim(PLAN);
  agent.send({ type: 'shutdown' });
  await agent.end();
  expect(await vm.runtime.inspect(vm.vmId)).toMatchObject({
    state: 'exited',
    exit: { exitCode: 1, reason: 'exited with code 1' },
  });
});

it('says nothing more once it hangs, and its links stay open', async () => {
  const agent = await start({ signIn: 'auto', hang: 'url_opened' });
  agent.claim(PLAN);
  await agent.next('url_opened');
  agent.send({ type: 'settle', settleId: 's' });
  const later = await dial();
  later.claim(PLAN, 2);
  await new Promise(setImmediate);
  expect([agent.hasEnded, later.hasEnded, later.received]).toEqual([false, false, []]);
  expect(agent.received.at(-1)).toMatchObject({ type: 'url_opened' });
});

it.each([
  ['claimed', 'capability'],
  ['url_opened', 'cli_exited'],
  ['cli_exited', 'handover'],
] as const)('goes no further than %s when it is held there, and still settles', async (hold, unsaid) => {
  const agent = await start({ signIn: 'auto', hold });
  agent.claim(PLAN);
  if (hold === 'cli_exited') await agent.next('cli_exited');
  agent.send({ type: 'settle', settleId: 's' });
  expect(await agent.next('settled')).toMatchObject({ holding: false });
  expect(agent.received.some(({ type }) => type === unsaid)).toBe(false);
});

it('takes up no link once it is isolated, and lives on', async () => {
  const agent = await start();
  vm.runtime.control(vm.vmId).isolate();
  await agent.end();
  await expect(dial()).rejects.toThrow(/does not listen/);
  expect(await vm.runtime.inspect(vm.vmId)).toEqual({ state: 'running' });
});

it('closes its display when the session is released, and lives on', async () => {
  const agent = await start();
  agent.claim(PLAN);
  const display = await vm.runtime.connect(vm.vmId, 'display');
  const closed = new Promise((resolve) => display.resume().once('close', resolve));
  agent.send({ type: 'release' });
  await closed;
  await expect(vm.runtime.connect(vm.vmId, 'display')).rejects.toThrow(/does not listen/);
  expect(await vm.runtime.inspect(vm.vmId)).toEqual({ state: 'running' });
});

it('takes a script by name or as JSON, and names the ones there are', async () => {
  await start();
  expect(parseFakeScripts('crash')[0].exit).toEqual({ when: 'url_opened', code: 1 });
  expect(parseFakeScripts('{"afterMs": 5}')).toEqual([toFakeScript({ afterMs: 5 })]);
  expect(parseFakeScripts('[{"afterMs": 5}, {}]')).toEqual([toFakeScript({ afterMs: 5 }), toFakeScript()]);
  expect(() => parseFakeScripts('[]')).toThrow();
  expect(() => parseFakeScripts('crush')).toThrow(/no fake script is called "crush".*crash/);
  expect(() => parseFakeScripts('{"afterms": 5}')).toThrow(/afterms/);
});

it('writes what its CLI wrote to a journal before it offers any of it', async () => {
  const journal = join(dir, 'journal.ndjson');
  const agent = await start({ signIn: 'auto', journal });
  agent.claim(PLAN);
  const { files } = await agent.next('handover');
  const line = JSON.parse(readFileSync(journal, 'utf8')) as FakeJournalLine;
  expect(line).toMatchObject({ vmId: vm.vmId, files, script: { cliExitCode: 0, credential: 'complete' } });
  expect(line.atMs).toBeLessThan(Number(process.hrtime.bigint()) / 1e6);
});

it('offers a link with the callback of the CLI and a state, and takes the address it leads to once', async () => {
  const agent = await start();
  agent.claim(PLAN, 1, { mode: 'own_browser' });
  const { offer } = await agent.next('offer');
  expect(offer).toMatchObject({ callback: { port: 1455, path: '/callback' }, accepts: ['callback', 'code'] });
  expect(offer.codeUrl).toContain('https://sign-in.example.test/authorize');
  const state = new URL(offer.url ?? '').searchParams.get('state');
  const answer = (answerId: string, query: string): void =>
    agent.send({ type: 'answer', answerId, kind: 'callback', text: `http://127.0.0.1:1455/callback?${query}` });
  answer('wrong', 'code=c&state=another');
  expect((await agent.next('answer_refused')).words).toMatch(/belongs to another sign-in/);
  expect(agent.received.some(({ type }) => type === 'cli_exited')).toBe(false);
  answer('right', `code=c&state=${state}`);
  await agent.next('handover');
  agent.received.length = 0;
  answer('again', `code=c&state=${state}`);
  expect((await agent.next('answer_refused')).words).toMatch(/only once/);
});

it('shows a device code, and is signed in when somebody agreed to it elsewhere', async () => {
  const agent = await start({ deviceApprovedAfterMs: 0 });
  agent.claim(PLAN, 1, { mode: 'device_code' });
  const { offer } = await agent.next('offer');
  expect(offer).toMatchObject({ url: 'https://sign-in.example.test/device', validForMs: 300_000, accepts: [] });
  expect(offer.deviceCode).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);
  await agent.next('handover');
});

it('writes the login of the kind of token it was given, and refuses one that looks otherwise', async () => {
  const agent = await start();
  agent.claim(PLAN, 1, { mode: 'token', mayUse: true });
  expect((await agent.next('offer')).offer).toMatchObject({ accepts: ['token'], url: null });
  agent.send({ type: 'answer', answerId: 'a', kind: 'token', tokenKind: 'key', text: 'nonsense' });
  expect((await agent.next('answer_refused')).words).toContain('API key');
  agent.send({ type: 'answer', answerId: 'b', kind: 'token', tokenKind: 'key', text: 'sk-1' });
  const { files, evidence } = await agent.next('handover');
  expect(files.map(({ path }) => path)).toEqual(['.demo/key']);
  expect(evidence).toContain('provider_accepted');
});

it('keeps its link when only the place to sign in changes, starts anew for a code, and knows older ways no more', async () => {
  const agent = await start({ deviceApprovedAfterMs: null });
  agent.claim(PLAN);
  const first = await agent.next('offer');
  const change = async (way: number, mode: 'own_browser' | 'device_code'): Promise<unknown> => {
    agent.received.length = 0;
    agent.send({ type: 'change_way', way, mode, plan: PLAN });
    return (await agent.next('offer')).offer;
  };
  expect(await change(2, 'own_browser')).toEqual({ ...first.offer, mode: 'own_browser' });
  expect(await change(3, 'device_code')).toMatchObject({ mode: 'device_code' });
  agent.received.length = 0;
  agent.send({ type: 'change_way', way: 2, mode: 'own_browser', plan: PLAN });
  agent.send({ type: 'settle', settleId: 's' });
  await agent.next('settled');
  expect(agent.received).toHaveLength(1);
});

it('asks before it offers anything when the script says so, and goes on once Enter was pressed', async () => {
  const agent = await start({ prompt: 'Continue? [Y/n] ' });
  agent.claim(PLAN);
  expect((await agent.next('prompt_shown')).text).toBe('Continue? [Y/n]');
  agent.send({ type: 'answer', answerId: '1', kind: 'keys', text: 'y' });
  await agent.next('answer_delivered');
  expect(agent.received.some(({ type }) => type === 'offer')).toBe(false);
  agent.send({ type: 'answer', answerId: '2', kind: 'keys', text: '\r' });
  await agent.next('offer');
  const printed = agent.received.flatMap((message) => (message.type === 'output' ? [message] : []));
  expect(printed.map(({ n }) => n)).toEqual(printed.map((_, index) => index + 1));
  expect(printed.map(({ text }) => text).join('')).toContain('Continue? [Y/n] y\r\n');
});

it('fails by the ways that the script names, with its words', async () => {
  const agent = await start({ failure: { modes: ['device_code'], code: 'device_code_refused', detail: 'turned off' } });
  agent.claim(PLAN);
  await agent.next('url_opened');
  agent.send({ type: 'change_way', way: 2, mode: 'device_code', plan: PLAN });
  expect(await agent.next('sign_in_failed')).toMatchObject({ code: 'device_code_refused', detail: 'turned off' });
});
