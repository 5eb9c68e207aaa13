/** The sign-ins that are recorded: how each CLI is run, and what the person does. */
import type { Behaviour } from '../identity-provider/behaviour.ts';
import type { JailedCli } from '../clis/jailed-cli.ts';
import type { Person, PersonBrowser } from '../clis/person-browser.ts';

export type Scene = {
  cli: JailedCli;
  browser: PersonBrowser;
  person: Person;
  /** One request from where the CLI runs. */
  fetchOnce: (url: string) => Promise<unknown>;
};
export type Script = {
  cli: string;
  way: string;
  program: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  files?: Readonly<Record<string, string>>;
  behaviour?: Partial<Behaviour>;
  /** The CLI goes on for ever. */
  endless?: boolean;
  play: (scene: Scene) => Promise<void>;
};

const CODEX = {
  cli: 'codex',
  program: 'node_modules/.bin/codex',
  files: { '.codex/config.toml': 'cli_auth_credentials_store = "file"\n' },
};
const CLAUDE = {
  cli: 'claude_code',
  program: 'node_modules/@anthropic-ai/claude-code-linux-x64/claude',
  args: ['auth', 'login'],
};
const GEMINI = {
  cli: 'gemini_cli',
  program: 'node_modules/.bin/gemini',
  args: ['--acp'],
  endless: true,
  files: {
    '.gemini/settings.json':
      '{"security":{"folderTrust":{"enabled":false}},"privacy":{"usageStatisticsEnabled":false}}',
  },
};
const GH = { cli: 'gh', program: 'usr/bin/gh' };
const GH_ARGS = ['auth', 'login', '--hostname', 'github.com', '--git-protocol', 'https'];
const CODEX_CODE = /^\s*([A-Z0-9]{4,5}-[A-Z0-9]{4,6})\s*$/m;

/** Of a person who has one already. */
export const GIVEN_TOKEN = 'gho_fakefakefakefakefakefakefakefakefake';

function signIn(decision: 'allow' | 'deny' = 'allow'): Script['play'] {
  return async ({ cli, browser, person, fetchOnce }) => {
    await fetchOnce(await browser.signIn(await cli.link(), person, decision));
  };
}

function enterCode(link: string, pattern: RegExp, decision: 'allow' | 'deny' = 'allow'): Script['play'] {
  return async ({ cli, browser, person }) => {
    await browser.enterCode(link, await cli.waitFor(pattern), person, decision);
  };
}

const askGemini =
  (then: Script['play']): Script['play'] =>
  async (scene) => {
    const say = (id: number, method: string, params: unknown): void =>
      scene.cli.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    const capabilities = { fs: { readTextFile: false, writeTextFile: false }, terminal: false };
    say(1, 'initialize', { protocolVersion: 1, clientCapabilities: capabilities });
    await scene.cli.waitFor(/"id":1/);
    say(2, 'authenticate', { methodId: 'oauth-personal' });
    await then(scene);
    await scene.cli.waitFor(/"id":2/);
  };

const giveLine =
  (line: string): Script['play'] =>
  ({ cli }) => {
    cli.write(`${line}\n`);
    cli.endInput();
    return Promise.resolve();
  };

const pasteCode: Script['play'] = async ({ cli, browser, person }) => {
  const link = await cli.waitFor(/(https:\/\/claude\.ai\/oauth\/authorize\?\S+)/);
  cli.write(`${await browser.signIn(link, person)}\n`);
};

export const SCRIPTS: readonly Script[] = [
  { ...CODEX, way: 'browser', args: ['login'], play: signIn() },
  { ...CODEX, way: 'browser-denied', args: ['login'], play: signIn('deny') },
  { ...CODEX, way: 'browser-unavailable', args: ['login'], behaviour: { tokens: 'unavailable' }, play: signIn() },
  { ...CODEX, way: 'browser-blank', args: ['login'], behaviour: { tokens: 'blank' }, play: signIn() },
  {
    ...CODEX,
    way: 'device',
    args: ['login', '--device-auth'],
    play: enterCode('https://auth.openai.com/codex/device', CODEX_CODE),
  },
  {
    ...CODEX,
    way: 'device-denied',
    args: ['login', '--device-auth'],
    play: enterCode('https://auth.openai.com/codex/device', CODEX_CODE, 'deny'),
  },
  {
    ...CODEX,
    way: 'device-refused',
    args: ['login', '--device-auth'],
    behaviour: { deviceCodes: 'refused' },
    play: async () => undefined,
  },
  {
    ...CODEX,
    way: 'device-expired',
    args: ['login', '--device-auth'],
    behaviour: { deviceCodes: 'expired' },
    play: async () => undefined,
  },
  { ...CODEX, way: 'api-key', args: ['login', '--with-api-key'], play: giveLine('sk-proj-fakefakefakefakefakefake') },
  { ...CLAUDE, way: 'browser', play: signIn() },
  { ...CLAUDE, way: 'browser-denied', play: signIn('deny') },
  { ...CLAUDE, way: 'browser-unavailable', behaviour: { tokens: 'unavailable' }, play: signIn() },
  { ...CLAUDE, way: 'browser-refused', behaviour: { tokens: 'refused' }, play: signIn() },
  { ...CLAUDE, way: 'browser-blank', behaviour: { tokens: 'blank' }, play: signIn() },
  { ...CLAUDE, way: 'code', play: pasteCode },
  { ...GEMINI, way: 'browser', play: askGemini(signIn()) },
  { ...GEMINI, way: 'browser-denied', play: askGemini(signIn('deny')) },
  { ...GEMINI, way: 'browser-refused', behaviour: { tokens: 'refused' }, play: askGemini(signIn()) },
  { ...GEMINI, way: 'browser-blank', behaviour: { tokens: 'blank' }, play: askGemini(signIn()) },
  {
    ...GEMINI,
    way: 'browser-stray',
    play: askGemini(async ({ cli, fetchOnce }) => {
      const redirect = new URL(await cli.link()).searchParams.get('redirect_uri') ?? '';
      await fetchOnce(new URL('/favicon.ico', redirect).href);
    }),
  },
  {
    ...GH,
    way: 'device',
    args: [...GH_ARGS, '--web'],
    play: enterCode('https://github.com/login/device', /code: ([A-Z]{4}-[A-Z]{4})/),
  },
  {
    ...GH,
    way: 'device-denied',
    args: [...GH_ARGS, '--web'],
    play: enterCode('https://github.com/login/device', /code: ([A-Z]{4}-[A-Z]{4})/, 'deny'),
  },
  {
    ...GH,
    way: 'device-expired',
    args: [...GH_ARGS, '--web'],
    behaviour: { deviceCodes: 'expired' },
    play: async () => undefined,
  },
  {
    ...GH,
    way: 'token',
    args: [...GH_ARGS, '--with-token'],
    play: giveLine(GIVEN_TOKEN),
  },
  {
    cli: 'npm',
    way: 'web',
    program: 'node_modules/.bin/npm',
    args: ['login', '--auth-type=web'],
    env: { npm_config_update_notifier: 'false' },
    play: async ({ cli, browser, person }) => {
      await browser.signIn(await cli.waitFor(/(https:\/\/\S+\/login\/\S+)/), person);
    },
  },
  {
    cli: 'wrangler',
    way: 'browser',
    program: 'node_modules/.bin/wrangler',
    args: ['login'],
    env: { WRANGLER_SEND_METRICS: 'false' },
    play: signIn(),
  },
];
