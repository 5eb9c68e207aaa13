/** What a person does on Vestibule's own pages before and after the live view. */
import { expect, type Page } from '@playwright/test';
import type { VestibuleServer } from './vestibule-server.ts';

const SESSION_PATH = /\/sessions\/([\da-f-]{36})$/;

/** The session whose page is open. */
export function toSessionId(page: Page): string {
  return SESSION_PATH.exec(new URL(page.url()).pathname)?.[1] ?? '';
}

/** Opens the operator's link and connects a provider by its card, for a user. Returns the session, whose page is then open. */
export async function connectProvider(
  page: Page,
  server: VestibuleServer,
  providerName: string,
  userId = 'me',
): Promise<string> {
  await page.goto(server.signInLink);
  const forWhom = page.getByLabel('For whom');
  await forWhom.fill(userId);
  await forWhom.press('Enter');
  await page.getByRole('button', { name: `Connect ${providerName}` }).click();
  await page.waitForURL(SESSION_PATH);
  return toSessionId(page);
}

export async function expectConnected(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Connected' })).toBeVisible({ timeout: 60_000 });
}
