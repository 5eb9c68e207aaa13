/** Uses the live view as a person would: looks at the pixels of its canvas, clicks into it and types. */
import { expect, type Locator, type Page } from '@playwright/test';

export type Colour = readonly [red: number, green: number, blue: number];
/** Of the button on the demo's pages. */
export const DEMO_BUTTON: Colour = [0x2f, 0x5b, 0xd8];

type Box = { left: number; top: number; right: number; bottom: number };

function canvasOf(page: Page): Locator {
  return page.getByTestId('live-view').locator('canvas');
}

/** Where the colour is seen in the canvas, in canvas pixels; null when it is seen nowhere. */
function findColour(page: Page, colour: Colour): Promise<Box | null> {
  return canvasOf(page).evaluate((element, [red, green, blue]) => {
    const canvas = element as unknown as {
      width: number;
      height: number;
      getContext(kind: '2d'): { getImageData(...box: number[]): { data: Uint8Array } };
    };
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const near = (at: number, wanted: number): boolean => Math.abs((data[at] ?? 0) - wanted) < 14;
    let box: { left: number; top: number; right: number; bottom: number } | null = null;
    for (let at = 0; at < data.length; at += 4) {
      if (!near(at, red) || !near(at + 1, green) || !near(at + 2, blue)) continue;
      const x = (at / 4) % canvas.width;
      const y = Math.floor(at / 4 / canvas.width);
      box ??= { left: x, top: y, right: x, bottom: y };
      box = { left: Math.min(box.left, x), top: box.top, right: Math.max(box.right, x), bottom: y };
    }
    return box;
  }, colour);
}

/** Waits for a page with a button of this colour, laid out otherwise than `before`, and returns where the colour is. */
async function waitForPage(page: Page, colour: Colour, before: Box | null): Promise<Box> {
  let found: Box | null = null;
  await expect
    .poll(
      async () => {
        found = await findColour(page, colour).catch(() => null);
        return (
          found !== null && found.right - found.left > 100 && Math.abs(found.bottom - (before?.bottom ?? -100)) > 4
        );
      },
      { timeout: 60_000, intervals: [50] },
    )
    .toBe(true);
  if (found === null) throw new Error('the page was seen and lost');
  return found;
}

export type Credentials = { user: string; password: string };

/** Types the user name and the password into the sign-in form seen in the live view, then consents. */
export async function signInByHand(page: Page, colour: Colour, credentials: Credentials): Promise<void> {
  await expect(page.getByTestId('live-view')).toHaveAttribute('data-state', 'connected', { timeout: 60_000 });
  const form = await waitForPage(page, colour, null);
  const canvas = canvasOf(page);
  const size = await canvas.evaluate((element) => {
    const { width, height } = element as unknown as { width: number; height: number };
    return { width, height };
  });
  const shown = await canvas.boundingBox();
  if (shown === null) throw new Error('the live view is not on screen');
  // A click beside the form: the remote page keeps the focus on its first field.
  const position = {
    x: (Math.max(2, form.left - 60) / size.width) * shown.width,
    y: (form.top / size.height) * shown.height,
  };
  await canvas.click({ position });
  await page.keyboard.press('Tab');
  await page.keyboard.type(credentials.user, { delay: 15 });
  await page.keyboard.press('Tab');
  await page.keyboard.type(credentials.password, { delay: 15 });
  await page.keyboard.press('Enter');
  await waitForPage(page, colour, form);
  await page.keyboard.press('Enter');
}
