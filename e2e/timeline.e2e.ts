/** The session page tells why a sign-in ended as it did: each step with its time, who took it, and the cause. */
import { expect, test, type Page } from '@playwright/test';
import { canvasOf, waitForLiveView } from './support/live-view.ts';
import { expectFitsPhone, PHONE } from './support/narrow-page.ts';
import { connectProvider, expectConnected } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

let server: VestibuleServer;

function useScript(script: Record<string, unknown>, env: Record<string, string> = {}): void {
  test.beforeAll(async () => {
    const fake = { VESTIBULE_RUNTIME: 'fake', VESTIBULE_FAKE_SCRIPT: JSON.stringify(script) };
    server = await startVestibule({ args: ['--demo'], env: { ...fake, ...env } });
  });
  test.afterAll(() => server.remove());
}

async function open(page: Page, userId: string): Promise<void> {
  await connectProvider(page, server, 'Demo', userId);
  await waitForLiveView(page);
}

const stepOf = (page: Page, type: string) => page.getByTestId('steps').locator(`[data-step="${type}"]`);

/** Opens the timeline; nothing of it is shown before. */
async function openTimeline(page: Page): Promise<void> {
  await expect(page.getByTestId('steps')).toBeHidden();
  await page.getByText('What happened', { exact: true }).click();
  await expect(page.getByTestId('steps')).toBeVisible();
}

test.describe('a machine that ends in its grace', () => {
  useScript({ exit: { when: 'answered', code: 137 } });

  test('is told as normal on the page of the completed sign-in, and nothing there says that something failed', async ({
    page,
  }) => {
    await open(page, 'grace');
    await page.getByRole('button', { name: 'Steps' }).click();
    await expect(stepOf(page, 'url_opened')).toContainText('The sign-in machine');
    await canvasOf(page).click();
    await expectConnected(page);
    await openTimeline(page);
    await expect(stepOf(page, 'credential_stored')).toContainText(
      'Version 1: every file of it was complete, the program ended with code 0',
    );
    await expect(stepOf(page, 'vm_exited')).toContainText('ended (code 137): normal');
    await expect(stepOf(page, 'vm_exited')).toContainText('after the sign-in was over');
    await expect(stepOf(page, 'vm_destroyed')).toContainText('It had ended before');
    await expect(page.getByTestId('what-happened')).not.toContainText(/fail/i);
    await page.reload();
    await openTimeline(page);
    await expect(stepOf(page, 'session_created')).toContainText('The person');
  });
});

test.describe('a machine that ends before the login is there', () => {
  useScript({ exit: { when: 'signed_in', code: 1 } });

  test('is the cause that the page of the failed sign-in tells, step by step, also on a phone and in the dark', async ({
    page,
  }) => {
    await page.setViewportSize(PHONE);
    await page.emulateMedia({ colorScheme: 'dark' });
    await open(page, 'early');
    await canvasOf(page).click();
    await expect(page.getByRole('heading', { name: 'The sign-in failed' })).toBeVisible();
    await openTimeline(page);
    await expect(stepOf(page, 'vm_exited')).toContainText('It exited with code 1, before the sign-in was over');
    await expect(stepOf(page, 'settling')).toContainText('Because the sign-in machine ended (exited with code 1)');
    await expect(stepOf(page, 'settling')).toContainText('This server');
    await expect(stepOf(page, 'session_failed')).toContainText('vm_ended');
    await expectFitsPhone(page);
  });
});

test.describe('a login that surfaces after the person cancelled', () => {
  useScript({ afterMs: 8_000 });

  test('is told with who cancelled and why it was refused', async ({ page }) => {
    await open(page, 'late');
    await canvasOf(page).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel the sign-in' }).click();
    await expect(page.getByRole('heading', { name: 'Sign-in cancelled' })).toBeVisible();
    await openTimeline(page);
    await expect(stepOf(page, 'session_cancelled')).toContainText('The person');
    await expect(stepOf(page, 'session_cancelled')).toContainText('cancelled');
    await expect(stepOf(page, 'late_refused')).toContainText('The sign-in had ended before it came');
    await expect(page.getByTestId('outcome')).toContainText('It was refused and not stored');
  });
});

test.describe('a time that runs out', () => {
  useScript({ signIn: 'never' }, { VESTIBULE_SESSION_SECONDS: '2' });

  test('is told as the reason why this server looked for a login, and then ended the sign-in', async ({ page }) => {
    await connectProvider(page, server, 'Demo', 'slow');
    await expect(page.getByRole('heading', { name: 'Time ran out' })).toBeVisible();
    await openTimeline(page);
    await expect(stepOf(page, 'settling')).toContainText('Because the time ran out');
    await expect(stepOf(page, 'session_timed_out')).toContainText('This server');
  });
});
