/**
 * A definition that was written from `docs/providers.md` alone: dropped, as it is, into the empty providers folder of a running server, it
 * is offered at once and signs a person in. Needs root, for networks of the VMs' own.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { createClient, type Client } from '@vestibule/protocol/client';
import { readHomeFile } from './support/browser-vm.ts';
import { openCredential } from './support/database.ts';
import { IDENTITY_PROVIDER_LOOK, signInByHand } from './support/live-view.ts';
import { skipUnlessRoot } from './support/requirements.ts';
import { connectProvider, expectConnected } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';
import { createWorld, type World } from './support/world.ts';

const EXAMPLE = fileURLToPath(new URL('../docs/examples/rclone.yaml', import.meta.url));
const CREDENTIAL = '.config/rclone/rclone.conf';
const PERSON = { user: 'ada', password: 'correct horse' };
const OFFERED_WITHIN_MS = 3000;

skipUnlessRoot('a browser VM gets a network of its own');

let world: World;
let providersDir: string;
let server: VestibuleServer;
let client: Client;
test.beforeAll(async () => {
  world = await createWorld({ users: { [PERSON.user]: PERSON.password }, tokenPrefix: 'fake', tls: true });
  providersDir = mkdtempSync(join(tmpdir(), 'vestibule-providers-'));
  server = await startVestibule({
    env: { ...world.env, VESTIBULE_CA_FILE: world.authority?.caFile ?? '', VESTIBULE_PROVIDERS_DIR: providersDir },
  });
  client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
});
// One hook each: when one of them could not be made or ended, the others are ended all the same.
test.afterAll(() => server.remove());
test.afterAll(() => rmSync(providersDir, { recursive: true, force: true }));
test.afterAll(() => world.close());

async function isOffered(): Promise<boolean> {
  return (await client.listProviders()).providers.some(({ id, available }) => id === 'rclone' && available);
}

async function dropExample(): Promise<void> {
  copyFileSync(EXAMPLE, join(providersDir, 'rclone.yaml'));
  await expect.poll(isOffered, { timeout: OFFERED_WITHIN_MS, intervals: [100] }).toBe(true);
}

/** The token of the one remote: JSON in a line of an INI file. */
function readToken(file: Buffer): Record<string, unknown> {
  const [, text = ''] = /^\[drive\]\n(?:.*\n)*?token = (.+)$/m.exec(file.toString()) ?? [];
  return JSON.parse(text) as Record<string, unknown>;
}

test('a definition dropped into the folder of a running server is offered within 3 s and signs a person in', async ({
  page,
}) => {
  await page.goto(server.signInLink);
  const card = page.getByRole('button', { name: 'Connect rclone' });
  await expect(page.getByRole('button', { name: 'Connect Cloudflare Wrangler' })).toBeVisible();
  await expect(card).toHaveCount(0);
  expect(await isOffered()).toBe(false);

  await test.step('the API and the page, looked at again, offer it without a restart', async () => {
    const droppedAt = performance.now();
    await dropExample();
    await page.reload();
    await expect(card).toBeEnabled();
    expect(performance.now() - droppedAt).toBeLessThan(OFFERED_WITHIN_MS);
  });

  const sessionId = await connectProvider(page, server, 'rclone', PERSON.user);
  await signInByHand(page, IDENTITY_PROVIDER_LOOK, PERSON);
  await expectConnected(page);

  const inVm = await readHomeFile(server.dataDir, sessionId, CREDENTIAL);
  const issued = world.issued().at(-1);
  await test.step('the stored login is the file in the home, byte for byte, with the tokens that were issued', async () => {
    expect((await client.getSession(sessionId)).status).toBe('completed');
    const stored = await openCredential(server.dataDir, sessionId);
    expect([...stored.keys()]).toEqual([CREDENTIAL]);
    expect(stored.get(CREDENTIAL)?.equals(inVm)).toBe(true);
    expect(issued?.user).toBe(PERSON.user);
    expect(readToken(inVm)).toMatchObject({
      access_token: issued?.accessToken,
      refresh_token: issued?.refreshToken,
      token_type: 'Bearer',
    });
  });

  await test.step('the person is told until when it lasts, by a field within the token', async () => {
    const [told] = await client.listCredentials(PERSON.user);
    expect(told?.expiresAt).toBe(new Date(String(readToken(inVm)['expiry'])).toISOString());
  });
});

test('a login without a refresh token, which the file holds as JSON in one of its values, is not stored', async ({
  page,
}) => {
  await dropExample();
  await world.behave({ tokens: 'blank' });
  const sessionId = await connectProvider(page, server, 'rclone', 'blank');
  await signInByHand(page, IDENTITY_PROVIDER_LOOK, PERSON);
  await expect(page.getByRole('heading', { name: 'The sign-in failed' })).toBeVisible();
  await expect(page.getByTestId('error-message')).toContainText('refresh_token');
  expect((await client.getSession(sessionId)).status).toBe('failed');
  expect(await client.listCredentials('blank')).toEqual([]);

  await test.step('what the program printed is shown without the token in it', async () => {
    const shown = (await client.readOutput(sessionId)).map(({ text }) => text).join('');
    expect(shown).toContain('token = {"access_token":"[redacted]"');
    const accessToken = world.issued().at(-1)?.accessToken;
    for (const text of [shown, server.output(), await page.content()]) expect(text).not.toContain(accessToken);
  });
});
