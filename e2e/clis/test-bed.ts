/** What every case needs: the world, a real Vestibule in it whose notices are accepted, the operator's page, the person's own browser. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from '@playwright/test';
import type { CreateSessionBody, Session } from '@vestibule/protocol/api';
import { createClient, type Client } from '@vestibule/protocol/client';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { isTerminal, type Mode } from '@vestibule/protocol/session';
import { parseProviderFile } from '../../packages/controller/src/providers/provider-file.ts';
import { startVestibule, type VestibuleServer } from '../support/vestibule-server.ts';
import { createWorld, type World } from '../support/world.ts';
import { startPersonBrowser, type Person, type PersonBrowser } from './person-browser.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const ADA: Person = { user: 'ada', password: 'correct horse' };
/** Keys that the person has from elsewhere, as each vendor's look. */
export const KEYS = {
  codex: 'sk-proj-adasownkey0123456789abcdef',
  claude_setup: 'sk-ant-oat01-adasowntoken0123456789abcdef',
  claude_key: 'sk-ant-api03-adasownkey0123456789abcdef',
  gemini: 'AIzaSyAdasOwnKey0123456789abcdefghijkl',
  gh: 'gho_adasOwnToken0123456789abcdefghijkl',
  npm: 'npm_adasOwnToken0123456789abcdefghijkl',
};

export type TestBed = {
  world: World;
  server: VestibuleServer;
  client: Client;
  browser: PersonBrowser;
  layersDir: string;
  /** The operator's page, signed in. */
  page: Page;
  /** A user that no other case has. */
  createUser(): string;
  begin(provider: string, mode: Mode, userId: string, more?: Partial<CreateSessionBody>): Promise<Session>;
  /** Opens the session in the page. */
  show(sessionId: string): Promise<void>;
  waitUntilEnded(sessionId: string): Promise<Session>;
  /** What the CLI wrote. */
  readOutput(sessionId: string): Promise<string>;
  close(): Promise<void>;
};

const GRACE_SECONDS = '4';
const SESSION_SECONDS = '240';
const POLL_MS = 100;
const END_WITHIN_MS = 150_000;

export function loadDefinition(id: string): ProviderDefinition {
  const folder = id === 'scripted' ? 'e2e/scripted-provider' : 'providers';
  const parsed = parseProviderFile(readFileSync(join(ROOT, folder, `${id}.yaml`), 'utf8'));
  if (!parsed.ok) throw new Error(`${id}.yaml: ${parsed.problems.map(({ message }) => message).join('; ')}`);
  return parsed.definition;
}

/** @param layersDir where the CLIs are kept from run to run; installed there when they are not */
export async function createTestBed(layersDir: string): Promise<TestBed> {
  const releases: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const release of releases.splice(0).toReversed()) await release();
  };
  try {
    const keys = Object.fromEntries(Object.values(KEYS).map((key) => [key, ADA.user]));
    const world = await createWorld({ users: { [ADA.user]: ADA.password }, keys, tokenPrefix: 'fake', tls: true });
    releases.push(world.close);
    const dataDir = await mkdtemp(join(tmpdir(), 'vestibule-clis-'));
    mkdirSync(layersDir, { recursive: true, mode: 0o755 });
    symlinkSync(resolve(layersDir), join(dataDir, 'layers'));
    const env = {
      VESTIBULE_VM_DNS: world.address,
      VESTIBULE_CA_FILE: world.authority?.caFile ?? '',
      VESTIBULE_PROVIDERS_DIR: join(ROOT, 'e2e', 'scripted-provider'),
      VESTIBULE_GRACE_SECONDS: GRACE_SECONDS,
      VESTIBULE_SESSION_SECONDS: SESSION_SECONDS,
    };
    const server = await startVestibule({ dataDir, env });
    releases.push(() => server.remove());
    const browser = await startPersonBrowser(world);
    releases.push(browser.close);
    const operator = await chromium.launch({ executablePath: process.env['E2E_BROWSER'] ?? '/usr/bin/chromium' });
    releases.push(() => operator.close());
    const page = await operator.newPage({ viewport: { width: 1280, height: 900 } });
    // What runs in the page was compiled with calls of this helper (esbuild, keepNames).
    await page.addInitScript('globalThis.__name = (value) => value');
    await page.goto(server.signInLink);
    await page.getByLabel('For whom').waitFor();
    const client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
    await acceptNotices(client);
    return { world, server, client, browser, layersDir, page, close, ...createSteps(client, server, page) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function acceptNotices(client: Client): Promise<void> {
  for (const { id, notice } of (await client.listProviders()).providers)
    if (notice !== null) await client.acceptNotice(id, notice.hash);
}

function createSteps(
  client: Client,
  server: VestibuleServer,
  page: Page,
): Pick<TestBed, 'createUser' | 'begin' | 'show' | 'waitUntilEnded' | 'readOutput'> {
  let users = 0;
  const readOutput = async (sessionId: string): Promise<string> =>
    (await client.readOutput(sessionId)).map(({ text }) => text).join('');
  return {
    createUser: () => `person-${(users += 1)}`,
    begin: (provider, mode, userId, more = {}) => client.createSession({ userId, provider, mode, ...more }),
    show: async (sessionId) => {
      await page.goto(`${server.origin}/sessions/${sessionId}`);
    },
    async waitUntilEnded(sessionId) {
      for (let waited = 0; ; waited += POLL_MS) {
        const session = await client.getSession(sessionId);
        if (isTerminal(session.status)) return session;
        if (waited > END_WITHIN_MS) {
          const printed = await readOutput(sessionId);
          throw new Error(`the session is still ${session.status} (${session.stage}); its program wrote: ${printed}`);
        }
        await sleep(POLL_MS);
      }
    },
    readOutput,
  };
}
