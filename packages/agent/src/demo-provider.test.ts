/** The demo provider's CLI, run by the agent as its definition says, signed in to by a program that fills in the forms as a person would. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loginPlanSchema, type AgentMessage } from '@vestibule/protocol/agent-messages';
import { providerDefinitionSchema } from '@vestibule/protocol/provider-definition';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { createCapabilities } from './capabilities.ts';
import { createOutbox } from './outbox.ts';
import { createReleaser } from './releaser.ts';
import { SignIn } from './sign-in.ts';
import { createFolder } from './testing-folder.ts';
import { fillIn } from './testing-forms.ts';

const PROVIDERS = fileURLToPath(new URL('../../../providers', import.meta.url));
const definition = providerDefinitionSchema.parse(parse(readFileSync(join(PROVIDERS, 'demo.yaml'), 'utf8')));
const FOLDER = definition.install.kind === 'bundled' ? definition.install.folder : '';

function signIn(person: (url: string) => Promise<void>) {
  const folder = createFolder();
  const home = join(folder, 'home');
  mkdirSync(home);
  const messages: AgentMessage[] = [];
  const log = (): void => undefined;
  const outbox = createOutbox();
  outbox.attach((message) => messages.push(message));
  const releaser = createReleaser(log);
  onTestFinished(() => releaser.releaseAll());
  const { login, success, credential, install } = definition;
  const program = join(PROVIDERS, FOLDER, install.bin);
  const attempt = new SignIn({
    plan: loginPlanSchema.parse({ provider: 'demo', program, login, success, credential }),
    home,
    shimDir: join(folder, 'shim'),
    inherited: { PATH: `${join(process.execPath, '..')}:/usr/bin:/bin` },
    desktop: { displayEnv: {}, failed: new Promise(() => undefined), open: async (url) => void person(url) },
    capabilities: createCapabilities(outbox, log),
    outbox,
    releaser,
    log,
  });
  const get = (type: AgentMessage['type']) =>
    vi.waitUntil(() => messages.find((message) => message.type === type), 10_000);
  return { attempt, home, get };
}

test('signs in, and the CLI itself confirms it', async () => {
  const pages: string[] = [];
  const { get, home } = signIn(async (url) => {
    pages.push((await fillIn(url, { user: 'demo', password: 'wrong' })).title);
    pages.push((await fillIn(url, { user: 'demo', password: 'demo' }, { decision: 'allow' })).title);
  });
  await expect(get('handover')).resolves.toMatchObject({
    account: 'demo@vestibule.example',
    evidence: ['files_complete', 'cli_exit_zero', 'cli_confirmed'],
  });
  await vi.waitFor(() => expect(pages).toEqual(['Sign in - Demo', 'You are signed in - Demo']));
  const text = readFileSync(join(home, '.config/vestibule-demo/credentials.json'), 'utf8');
  expect(text).toMatch(/"refresh_token": "demo_refresh_/);
});

test('says that the person denied it', async () => {
  const { get } = signIn(async (url) => {
    await fillIn(url, { user: 'demo', password: 'demo' }, { decision: 'deny' });
  });
  await expect(get('sign_in_failed')).resolves.toMatchObject({
    code: 'sign_in_denied',
    detail: 'Sign-in was denied',
  });
});
