/** What a person does on Vestibule's own pages before and after signing in. */
import { expect, type Locator, type Page } from '@playwright/test';
import type { Mode } from '@vestibule/protocol/session';
import { PATIENCE } from './patience.ts';
import type { VestibuleServer } from './vestibule-server.ts';

const SESSION_PATH = /\/sessions\/([\da-f-]{36})$/;

const WAYS: Record<Mode, string> = {
  vm_browser: 'In a browser on this server',
  own_browser: 'In your own browser',
  device_code: 'With a code, on any device',
  token: 'With a key or token that you have',
};

/** The session whose page is open. */
export function toSessionId(page: Page): string {
  return SESSION_PATH.exec(new URL(page.url()).pathname)?.[1] ?? '';
}

/** Presses a provider's button on the open first page, and goes on past what there is to know; by the suggested way unless told. */
export async function startSignIn(page: Page, providerName: string, mode?: Mode): Promise<void> {
  await page.getByRole('button', { name: `Connect ${providerName}` }).click();
  const dialog = page.getByRole('dialog');
  if (mode !== undefined) await dialog.getByRole('radio', { name: WAYS[mode] }).check();
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(SESSION_PATH);
}

/** Opens the operator's link and connects a provider by its card, for a user. Returns the session, whose page is then open. */
export async function connectProvider(
  page: Page,
  server: VestibuleServer,
  providerName: string,
  userId = 'me',
  mode?: Mode,
): Promise<string> {
  await page.goto(server.signInLink);
  const forWhom = page.getByLabel('For whom');
  await forWhom.fill(userId);
  await forWhom.press('Enter');
  await startSignIn(page, providerName, mode);
  return toSessionId(page);
}

/** Changes the way in the middle of the sign-in whose page is open. */
export async function changeWay(page: Page, mode: Mode): Promise<void> {
  await page.getByRole('button', { name: 'Other way' }).click();
  await wayButton(page.getByRole('dialog'), mode).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** The button that leads to a way, among others. */
export function wayButton(place: Locator, mode: Mode): Locator {
  return place.getByRole('button', { name: WAYS[mode] });
}

export async function expectConnected(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Connected' })).toBeVisible({ timeout: 60_000 * PATIENCE });
}
