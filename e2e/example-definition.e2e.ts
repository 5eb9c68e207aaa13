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
  world = await createWorld({ users: { [PERSON.user]: PERSON.password }, tokenPrefix: 'fake' });
  providersDir = mkdtempSync(join(tmpdir(), 'vestibule-providers-'));
  server = await startVestibule({
    env: { ...world.env, VESTIBULE_CA_FILE: world.authority.caFile, VESTIBULE_PROVIDERS_DIR: providersDir },
  });
  client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
});
// One hook each: when one of them could not be made or ended, the others are ended all the same.
test.afterAll(() => server.remove());
test.afterAll(() => rmSync(providersDir, { recursive: true, force: true }));
test.afterAll(() => world.close());

/** The token of the one remote: JSON in a line of an INI file. */
function readToken(file: Buffer): Record<string, unknown> {
  const [, text = ''] = /^\[drive\]\n(?:.*\n)*?token = (.+)$/m.exec(file.toString()) ?? [];
  return JSON.parse(text) as Record<string, unknown>;
}

test('a definition dropped into the folder of a running server is offered within 3 s and signs a person in', async ({
  page,
}) => {
  const isOffered = async (): Promise<boolean> =>
    (await client.listProviders()).providers.some(({ id, available }) => id === 'rclone' && available);
  await page.goto(server.signInLink);
  const card = page.getByRole('button', { name: 'Connect rclone' });
  await expect(page.getByRole('button', { name: 'Connect Cloudflare Wrangler' })).toBeVisible();
  await expect(card).toHaveCount(0);
  expect(await isOffered()).toBe(false);

  await test.step('the API and the page, looked at again, offer it without a restart', async () => {
    copyFileSync(EXAMPLE, join(providersDir, 'rclone.yaml'));
    const droppedAt = performance.now();
    await expect.poll(isOffered, { timeout: OFFERED_WITHIN_MS, intervals: [100] }).toBe(true);
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

  await test.step('the program prints its login at the end, and nobody is shown it', async () => {
    const shown = (await client.readOutput(sessionId)).map(({ text }) => text).join('');
    expect(shown).toContain('token = ');
    for (const text of [shown, server.output(), await page.content()])
      for (const secret of [issued?.accessToken, issued?.refreshToken]) expect(text).not.toContain(secret);
  });
});
