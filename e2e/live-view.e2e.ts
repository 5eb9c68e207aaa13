/** The live view in use: pasting, sizes, a phone, two windows. Each test ends with a sign-in, so that what was typed is proven by the CLI. */
import { expect, test, type Page } from '@playwright/test';
import { query } from './support/database.ts';
import {
  canvasOf,
  clickIntoForm,
  DEMO_LOOK,
  moveToPassword,
  signInByHand,
  submitAndConsent,
  waitForLiveView,
} from './support/live-view.ts';
import { expectFitsPhone, PHONE } from './support/narrow-page.ts';
import { connectProvider, expectConnected } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

const DEMO = { user: 'demo', password: 'demo' };
const PASTES = 20;

let server: VestibuleServer;
test.beforeAll(async () => {
  server = await startVestibule({ args: ['--demo'], env: { VESTIBULE_GRACE_SECONDS: '5' } });
});
test.afterAll(() => server.remove());

/** Puts a text on the clipboard of the person's computer. */
async function copy(page: Page, text: string): Promise<void> {
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
}

/** How large the remote screen is. */
async function readRemoteSize(page: Page): Promise<{ width: number; height: number }> {
  return canvasOf(page).evaluate((element) => {
    const { width, height } = element as unknown as { width: number; height: number };
    return { width, height };
  });
}

/** How large the room for it is on the page. */
async function readRoom(page: Page): Promise<{ width: number; height: number }> {
  const box = await page.getByTestId('live-view').boundingBox();
  if (box === null) throw new Error('the live view is not on screen');
  return { width: Math.floor(box.width), height: Math.floor(box.height) };
}

test.describe('with a clipboard', () => {
  test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

  test('pasting types the clipboard’s text, by Ctrl+V and by the button, twenty times in a row', async ({ page }) => {
    await connectProvider(page, server, 'Demo', 'paste');
    await clickIntoForm(page, DEMO_LOOK);
    for (let number = PASTES - 1; number >= 0; number -= 1) {
      await copy(page, number === 0 ? DEMO.user : `wrong-${number}-Ä€😀`);
      // Copying inside while text comes from outside is what froze the browser over a shared clipboard.
      await page.keyboard.press('Control+a');
      await page.keyboard.press('Control+c');
      await page.keyboard.press('Control+v');
    }
    await moveToPassword(page, DEMO_LOOK);
    await copy(page, `${DEMO.password}\r\n`);
    await page.getByRole('button', { name: 'Paste' }).click();
    await submitAndConsent(page, DEMO_LOOK);
    await expectConnected(page);
    await expect(page.getByTestId('account')).toHaveText('demo@vestibule.example');
  });
});

/** Fills the form of the demo by the text box and its buttons, and leaves the focus in the box: a phone has no other keyboard. */
async function fillFormByBox(page: Page): Promise<void> {
  const box = page.getByRole('textbox', { name: 'Type here' });
  await box.fill(DEMO.user);
  await page.getByRole('button', { name: 'Tab', exact: true }).click();
  await box.fill(`${DEMO.password}x`);
  await page.getByRole('button', { name: 'Backspace' }).click();
  await box.focus();
}

test('the remote screen follows the window, and the sign-in goes on in it', async ({ page }) => {
  await connectProvider(page, server, 'Demo', 'resize');
  await waitForLiveView(page);
  for (const size of [
    { width: 1600, height: 900 },
    { width: 1000, height: 700 },
  ]) {
    await page.setViewportSize(size);
    await expect.poll(() => readRemoteSize(page)).toEqual(await readRoom(page));
    expect((await readRoom(page)).width).toBe(size.width);
  }
  await signInByHand(page, DEMO_LOOK, DEMO);
  await expectConnected(page);
});

test.describe('on a phone', () => {
  test.use({ viewport: PHONE, hasTouch: true });

  test('a person signs in by the box to type in, which pasting opens where the clipboard may not be read', async ({
    page,
  }) => {
    await connectProvider(page, server, 'Demo', 'phone-box');
    await clickIntoForm(page, DEMO_LOOK);
    await expectFitsPhone(page);
    await page.getByRole('button', { name: 'Paste' }).click();
    await expect(page.getByText('This page may not read the clipboard.')).toBeVisible();
    await expectFitsPhone(page);
    await fillFormByBox(page);
    await submitAndConsent(page, DEMO_LOOK);
    await expectConnected(page);
    await expectFitsPhone(page);
  });

  test('a person signs in by touching the live view and a keyboard', async ({ page }) => {
    await connectProvider(page, server, 'Demo', 'phone-keyboard');
    await waitForLiveView(page);
    await expect.poll(async () => (await readRemoteSize(page)).width).toBe(500);
    await signInByHand(page, DEMO_LOOK, DEMO);
    await expectConnected(page);
  });
});

test('two windows show one sign-in, each with a ticket of its own; both close at its end, before the machine does', async ({
  page,
  context,
}) => {
  const second = await context.newPage();
  // A window whose connection breaks off comes again with another ticket, so each may have had several.
  const tickets = new Map<Page, (string | null)[]>([page, second].map((window) => [window, []]));
  for (const [window, own] of tickets)
    window.on('websocket', (socket) => own.push(new URL(socket.url()).searchParams.get('ticket')));
  const sessionId = await connectProvider(page, server, 'Demo', 'two');
  await waitForLiveView(page);
  await second.goto(page.url());
  await waitForLiveView(second);
  const taken = [...tickets.values()];
  expect(taken.every((own) => own.length > 0 && !own.includes(null))).toBe(true);
  expect(new Set(taken.flat()).size).toBe(taken.flat().length);
  await clickIntoForm(page, DEMO_LOOK);
  await page.keyboard.type(DEMO.user);
  await moveToPassword(second, DEMO_LOOK);
  await second.keyboard.type(DEMO.password);
  await submitAndConsent(page, DEMO_LOOK);
  for (const window of [page, second]) {
    await expectConnected(window);
    await expect(canvasOf(window)).toHaveCount(0);
  }
  expect(
    await query(
      server.dataDir,
      'select v.state, v.exited_at from browser_vms v join auth_sessions s using (vm_id) where s.session_id = $1',
      [sessionId],
    ),
  ).toEqual([{ state: 'claimed', exited_at: null }]);
});
