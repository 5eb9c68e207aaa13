/** Vestibule's page in this machine's browser, as the operator of the fresh machine sees it. */
import { join } from 'node:path';
import { chromium, expect, type Page } from '@playwright/test';
import { DEMO_LOOK, signInByHand } from '../../e2e/support/live-view.ts';
import { ROOT } from '../start/paths.mjs';

const FAILURE_PICTURE = join(ROOT, 'test-results', 'e2e-fresh.png');
const CONNECT = { name: 'Connect Demo' };
/** How long the server may go on saying what it found missing. */
const SEEN_WITHIN_MS = 30_000;

/** Opens the link that `npm start` printed. */
export async function withOperatorPage<T>(signInLink: string, work: (page: Page) => Promise<T>): Promise<T> {
  const browser = await chromium.launch({ executablePath: process.env['E2E_BROWSER'] ?? '/usr/bin/chromium' });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  // tsx names functions by a helper, also those that are sent into the page.
  await page.addInitScript('globalThis.__name = (named) => named');
  try {
    await page.goto(signInLink);
    return await work(page);
  } catch (error) {
    await page.screenshot({ path: FAILURE_PICTURE });
    console.error(`What the page showed is in ${FAILURE_PICTURE}.`);
    throw error;
  } finally {
    await browser.close();
  }
}

/** Types at the demo's sign-in pages in the live view until the page says *Connected*. */
export async function connectDemo(page: Page): Promise<void> {
  await page.getByRole('button', CONNECT).click({ timeout: SEEN_WITHIN_MS });
  await page.getByRole('dialog').getByRole('button', { name: 'Continue' }).click();
  await signInByHand(page, DEMO_LOOK, { user: 'demo', password: 'demo' });
  await expect(page.getByRole('heading', { name: 'Connected' })).toBeVisible({ timeout: 60_000 });
}

/** The page says of each part that it is missing and why, and does not let the demo be started. */
export async function expectMissing(page: Page, titles: readonly string[]): Promise<void> {
  for (const title of titles)
    await expect(page.getByTestId('missing')).toContainText(title, { timeout: SEEN_WITHIN_MS });
  await expect(page.getByRole('button', CONNECT)).toBeDisabled();
}

/** The page, looked at again, offers the demo. */
export async function expectOffered(page: Page): Promise<void> {
  await expect
    .poll(
      async () => {
        await page.reload();
        return page.getByRole('button', CONNECT).isEnabled();
      },
      { timeout: SEEN_WITHIN_MS },
    )
    .toBe(true);
  await expect(page.getByTestId('missing')).toHaveCount(0);
}
