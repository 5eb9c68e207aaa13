/** How a page fits a phone. */
import { expect, type Page } from '@playwright/test';

export const PHONE = { width: 390, height: 844 };

/** That the page can be read in light and dark without moving it sideways. */
export async function expectFitsPhone(page: Page): Promise<void> {
  const grounds = new Set<string>();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const shown = await page.evaluate<{ width: number; room: number; ground: string }>(`({
      width: document.documentElement.scrollWidth,
      room: document.documentElement.clientWidth,
      ground: getComputedStyle(document.body).backgroundColor,
    })`);
    expect(shown.room).toBe(PHONE.width);
    expect(shown.width).toBeLessThanOrEqual(shown.room);
    grounds.add(shown.ground);
  }
  expect(grounds.size, 'light and dark differ').toBe(2);
}
