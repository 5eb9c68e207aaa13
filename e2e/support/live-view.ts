/** Uses the live view as a person would: looks at the pixels of its canvas, clicks into it and types. */
import { expect, type Locator, type Page } from '@playwright/test';
import { PATIENCE } from './patience.ts';

type Colour = readonly [red: number, green: number, blue: number];
/** How the pages of an identity provider look: their button, and the frame of the field that has the focus. */
export type SignInLook = { button: Colour; focus: Colour };
export const DEMO_LOOK: SignInLook = { button: [0x2f, 0x5b, 0xd8], focus: [172, 189, 239] };
export const IDENTITY_PROVIDER_LOOK: SignInLook = { button: [0xc2, 0x41, 0x0c], focus: [0x0b, 0x7a, 0x75] };

type Box = { left: number; top: number; right: number; bottom: number };

export function canvasOf(page: Page): Locator {
  return page.getByTestId('live-view').locator('canvas');
}

/** Waits until the live view shows what is on the remote screen. */
export async function waitForLiveView(page: Page): Promise<void> {
  await expect(page.getByTestId('live-view')).toHaveAttribute('data-state', 'connected', {
    timeout: 60_000 * PATIENCE,
  });
}

/** Where the colour is seen in long horizontal lines, in canvas pixels; null when it is seen nowhere. Text and small marks do not count. */
function findColour(page: Page, colour: Colour): Promise<Box | null> {
  return canvasOf(page).evaluate((element, [red, green, blue]) => {
    const canvas = element as unknown as {
      width: number;
      height: number;
      getContext(kind: '2d'): { getImageData(...box: number[]): { data: Uint8Array } };
    };
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const near = (at: number, wanted: number): boolean => Math.abs((data[at] ?? 0) - wanted) < 14;
    const isColour = (at: number): boolean => near(at, red) && near(at + 1, green) && near(at + 2, blue);
    let box: { left: number; top: number; right: number; bottom: number } | null = null;
    for (let y = 0, at = 0; y < canvas.height; y += 1) {
      for (let x = 0, run = 0; x < canvas.width; x += 1, at += 4) {
        run = isColour(at) ? run + 1 : 0;
        if (run < 100) continue;
        box ??= { left: x, top: y, right: x, bottom: y };
        box = { left: Math.min(box.left, x - run + 1), top: box.top, right: Math.max(box.right, x), bottom: y };
      }
    }
    return box;
  }, colour);
}

const isSame = (one: Box | null, other: Box | null): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Waits until the colour is seen elsewhere than `before`, and stays there: a slow machine paints by pieces. Returns where. */
async function waitForColour(page: Page, colour: Colour, before: Box | null): Promise<Box> {
  let found: Box | null = null;
  await expect
    .poll(
      async () => {
        const last = found;
        found = await findColour(page, colour).catch(() => null);
        return found !== null && isSame(found, last) && Math.abs(found.bottom - (before?.bottom ?? -100)) > 4;
      },
      { timeout: 60_000 * PATIENCE, intervals: [50 * PATIENCE] },
    )
    .toBe(true);
  if (found === null) throw new Error('what was looked for was seen and lost');
  return found;
}

async function clickOn(page: Page, { left, top, right, bottom }: Box): Promise<void> {
  const canvas = canvasOf(page);
  const [width, height] = await canvas.evaluate((element) => {
    const { width, height } = element as unknown as { width: number; height: number };
    return [width, height];
  });
  const shown = await canvas.boundingBox();
  if (shown === null) throw new Error('the live view is not on screen');
  const position = {
    x: ((left + right) / 2 / width) * shown.width,
    y: ((top + bottom) / 2 / height) * shown.height,
  };
  await canvas.click({ position });
}

/** Clicks into the sign-in form's first field, which has the focus already. */
export async function clickIntoForm(page: Page, look: SignInLook): Promise<void> {
  await waitForLiveView(page);
  await waitForColour(page, look.button, null);
  await clickOn(page, await waitForColour(page, look.focus, null));
}

/** From the first field to the second, by the Tab key. */
export async function moveToPassword(page: Page, look: SignInLook): Promise<void> {
  const field = await waitForColour(page, look.focus, null);
  await page.keyboard.press('Tab');
  await waitForColour(page, look.focus, field);
}

/** Sends the filled form and accepts what the next page asks. */
export async function submitAndConsent(page: Page, look: SignInLook): Promise<void> {
  const form = await waitForColour(page, look.button, null);
  await page.keyboard.press('Enter');
  await clickOn(page, await waitForColour(page, look.button, form));
}

export type Credentials = { user: string; password: string };

/** Types the user name and the password into the sign-in form seen in the live view, then consents. */
export async function signInByHand(page: Page, look: SignInLook, credentials: Credentials): Promise<void> {
  await clickIntoForm(page, look);
  await page.keyboard.type(credentials.user, { delay: 15 });
  await moveToPassword(page, look);
  await page.keyboard.type(credentials.password, { delay: 15 });
  await submitAndConsent(page, look);
}
