/** The pages, over machines that are only played: every way a sign-in can end, in words that stay the same however one comes to them. */
import { expect, test, type Page } from '@playwright/test';
import { canvasOf, waitForLiveView } from './support/live-view.ts';
import { expectFitsPhone, PHONE } from './support/narrow-page.ts';
import { watchHeadings } from './support/seen-headings.ts';
import { connectProvider, expectConnected, toSessionId } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

const QUIET_MS = 5_000;

let server: VestibuleServer;

/** Gives the tests of a group a server of their own, whose machines play this script. */
function useServer(env: Record<string, string> = {}): void {
  test.beforeAll(async () => {
    server = await startVestibule({ args: ['--demo'], env: { VESTIBULE_RUNTIME: 'fake', ...env } });
  });
  test.afterAll(() => server.remove());
}

/** Starts the server that was stopped again, at the same address: a page that is open knows no other. */
async function startAgain(): Promise<void> {
  server = await startVestibule({
    args: ['--demo'],
    dataDir: server.dataDir,
    env: { VESTIBULE_RUNTIME: 'fake', VESTIBULE_PORT: new URL(server.origin).port },
  });
}

/** Opens a session whose live view waits for a click. */
async function openSession(page: Page, userId: string): Promise<string> {
  const sessionId = await connectProvider(page, server, 'Demo', userId);
  await waitForLiveView(page);
  return sessionId;
}

async function expectEnd(page: Page, heading: string, message: RegExp, next: RegExp): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(heading);
  await expect(page.getByTestId('error-message')).toHaveText(message);
  await expect(page.getByTestId('outcome')).toContainText(next);
  await expect(page.getByRole('button', { name: 'Start again' })).toBeEnabled();
}

/** That opening the page anew shows the outcome with the same words. */
async function expectSameAfterReload(page: Page): Promise<void> {
  const outcome = page.getByTestId('outcome');
  const before = await outcome.innerText();
  await page.reload();
  await expect(outcome).toHaveText(before, { useInnerText: true });
}

test.describe('a machine that waits for a click', () => {
  useServer({ VESTIBULE_GRACE_SECONDS: '60', VESTIBULE_MAX_SESSIONS: '20' });

  test('a click into the live view connects, and the page says so without being opened anew', async ({ page }) => {
    await openSession(page, 'click');
    const seen = await watchHeadings(page);
    await canvasOf(page).click();
    await expectConnected(page);
    await expect(page.getByTestId('account')).toContainText('@');
    await expect(canvasOf(page)).toHaveCount(0);
    await expect(page.getByTestId('machine')).toContainText('will be destroyed in');
    expect(await seen()).toEqual(['Sign in to Demo', 'Connected']);
    await page.reload();
    await expectConnected(page);
    await expect(page.getByTestId('account')).toContainText('@');
  });

  test('cancelling asks first, ends the sign-in, and leads to a new one', async ({ page }) => {
    const cancelled = await openSession(page, 'cancel');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Go on signing in' }).click();
    await expect(page.getByTestId('live-view')).toHaveAttribute('data-state', 'connected');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel the sign-in' }).click();
    await expectEnd(page, 'Sign-in cancelled', /Nothing was stored/, /start again whenever you like/);
    await expectSameAfterReload(page);
    await page.getByRole('button', { name: 'Start again' }).click();
    await waitForLiveView(page);
    expect(toSessionId(page)).not.toBe(cancelled);
    await page.keyboard.press('a');
    await expectConnected(page);
  });

  test('a page that waits for the person asks the server nothing', async ({ page }) => {
    await openSession(page, 'quiet');
    await page.waitForLoadState('networkidle');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('websocket', (socket) => asked.push(socket.url()));
    await page.waitForTimeout(QUIET_MS);
    expect(asked).toEqual([]);
    await canvasOf(page).click();
    await expectConnected(page);
  });

  test('on a phone nothing is wider than the screen, in light and dark', async ({ page }) => {
    await page.setViewportSize(PHONE);
    await page.goto(server.signInLink);
    await expect(page.getByRole('button', { name: 'Connect Demo', exact: true })).toBeVisible();
    await expectFitsPhone(page);
    await openSession(page, 'a-user-with-a-name-of-the-length-that-platforms-give-1234567890');
    await expectFitsPhone(page);
    await page.getByRole('button', { name: 'Type here' }).click();
    await page.getByRole('button', { name: 'Steps' }).click();
    await expectFitsPhone(page);
    await canvasOf(page).click({ position: { x: 20, y: 20 } });
    await expectConnected(page);
    await page.getByText('What happened').click();
    await expectFitsPhone(page);
  });

  test('without the token one reads how to get a link and nothing else', async ({ page }) => {
    const answers: number[] = [];
    page.on('response', (answer) => {
      if (answer.url().includes('/v1/')) answers.push(answer.status());
    });
    for (const path of ['/', '/sessions/00000000-0000-4000-8000-000000000000', '/#token=not-the-token']) {
      await page.goto(`${server.origin}${path}`);
      await page.reload();
      await expect(page.getByRole('heading')).toHaveText('Open Vestibule with its link');
      await expect(page.getByText('operator-token')).toBeVisible();
      await expect(page.getByRole('button')).toHaveText(['Sign in']);
    }
    expect([...new Set(answers)]).toEqual([401]);
  });

  test('a link that is not accepted says so, and neither its token nor the right one stays in the address bar', async ({
    page,
  }) => {
    await page.goto(`${server.origin}/#token=not-the-token`);
    await expect(page.getByRole('alert')).toContainText('That link was not accepted');
    expect(page.url()).toBe(`${server.origin}/`);
    await page.goto(server.signInLink);
    await expect(page.getByRole('heading', { name: 'Connect your command-line tools' })).toBeVisible();
    expect(page.url()).toBe(`${server.origin}/`);
    await page.goBack();
    expect(page.url()).not.toContain('token');
  });

  test('a server that restarts under a sign-in is shown as reconnecting, then what became of it', async ({ page }) => {
    await openSession(page, 'cut-off');
    const seen = await watchHeadings(page);
    await server.stop();
    await expect(page.getByTestId('status')).toHaveText('Reconnecting…');
    await expect(page.getByTestId('live-view')).toHaveAttribute('data-state', 'reconnecting');
    await startAgain();
    await expectEnd(page, 'The sign-in failed', /The sign-in browser ended before/, /You can start again at once/);
    expect(await seen()).toEqual(['Sign in to Demo', 'The sign-in failed']);
  });

  test('a server that restarts after a sign-in leaves its page connected throughout', async ({ page }) => {
    await openSession(page, 'done');
    await canvasOf(page).click();
    await expectConnected(page);
    const seen = await watchHeadings(page);
    const dropped = page.waitForEvent('requestfailed');
    await server.stop();
    await dropped;
    await startAgain();
    await expect(page.getByTestId('machine')).toContainText('It has been destroyed', { timeout: 90_000 });
    expect(await seen()).toEqual(['Connected']);
    await expectSameAfterReload(page);
    await expectConnected(page);
  });
});

test.describe('a person who does not come', () => {
  useServer({ VESTIBULE_SESSION_SECONDS: '6' });

  test('the time runs out in words, and the page says the same when it is opened anew', async ({ page }) => {
    await openSession(page, 'late');
    await expect(page.getByTestId('time-left')).toContainText('left');
    await expectEnd(page, 'Time ran out', /time for this sign-in ran out\. Nothing was stored/, /Start again when/);
    await expectSameAfterReload(page);
  });
});

test.describe('a program that ends without a login', () => {
  useServer({ VESTIBULE_FAKE_SCRIPT: JSON.stringify({ credential: 'none', cliExitCode: 3 }) });

  test('the failure is told in words with the next step, also on a phone and when it is opened anew', async ({
    page,
  }) => {
    await page.setViewportSize(PHONE);
    await openSession(page, 'me');
    const seen = await watchHeadings(page);
    await canvasOf(page).click();
    await expectEnd(
      page,
      'The sign-in failed',
      /ended with code 3, which means that it signed nobody in/,
      /You can start again at once/,
    );
    expect(await seen()).toEqual(['Sign in to Demo', 'The sign-in failed']);
    await expectSameAfterReload(page);
    await page.getByText('Technical details', { exact: true }).click();
    await expect(page.getByTestId('outcome')).toContainText('cli_exited');
    await page.getByText('What happened').click();
    await expectFitsPhone(page);
  });
});
