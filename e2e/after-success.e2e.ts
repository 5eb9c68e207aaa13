/** A program that goes wrong after it wrote its whole login: what it wrote is no success by itself, and the words say what happened. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, type Page } from '@playwright/test';
import { createClient } from '@vestibule/protocol/client';
import { query } from './support/database.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

const PROVIDERS_DIR = join(dirname(fileURLToPath(import.meta.url)), 'scripted-provider');
const FILE = '.config/scripted/login.json';

let server: VestibuleServer;
test.beforeAll(async () => {
  const env = { VESTIBULE_PROVIDERS_DIR: PROVIDERS_DIR, VESTIBULE_GRACE_SECONDS: '2', VESTIBULE_SESSION_SECONDS: '12' };
  server = await startVestibule({ env });
});
test.afterAll(() => server.remove());

/** Tells the program its steps, and waits on the session's page for the end. */
async function play(page: Page, userId: string, steps: readonly string[]): Promise<void> {
  const client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
  const { sessionId } = await client.createSession({ userId, provider: 'scripted' });
  await page.goto(server.signInLink);
  await page.getByLabel('For whom').waitFor();
  await page.goto(`${server.origin}/sessions/${sessionId}`);
  await expect.poll(async () => (await client.getSession(sessionId)).capabilities).toContain('cli');
  for (const text of steps) await client.answer(sessionId, { kind: 'line', text });
  await expect(page.getByTestId('error-message')).toBeVisible();
  expect(await query(server.dataDir, 'select 1 from provider_credentials where user_id = $1', [userId])).toEqual([]);
}

test('a program that ends with 3 after it wrote its login signs nobody in, and its code is told', async ({ page }) => {
  await play(page, 'crash', ['open', 'crash']);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The sign-in failed');
  await expect(page.getByTestId('error-message')).toContainText('ended with code 3');
});

test('a program that hangs after it wrote its login signs nobody in, and the time that ran out is told', async ({
  page,
}) => {
  await play(page, 'hang', ['open', 'whole']);
  await expect(page.getByTestId('error-message')).toContainText('The time for this sign-in ran out');
});

test('a program that wrote an empty field signs nobody in, and the field is told', async ({ page }) => {
  await play(page, 'blank', ['open', 'blank']);
  await expect(page.getByTestId('error-message')).toContainText(`token in ${FILE}`);
});
