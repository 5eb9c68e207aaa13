/** The opposite of the criteria: a machine that ends with exit code 1 before there is a login is a failure, and is told in words. */
import { expect, test } from '@playwright/test';
import { findFirstProcess, findVmId } from './support/browser-vm.ts';
import { query, waitUntilGone } from './support/database.ts';
import { DEMO_LOOK, signInByHand, waitForLiveView } from './support/live-view.ts';
import { connectProvider, expectConnected, toSessionId } from './support/sign-in-pages.ts';
import { collectTraces, findPlaces } from './support/traces.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

let server: VestibuleServer;
test.beforeAll(async () => {
  server = await startVestibule({ args: ['--demo'], env: { VESTIBULE_GRACE_SECONDS: '0' } });
});
test.afterAll(() => server.remove());

test('exit code 1 before any credential → failed, in words, with a way on', async ({ page }) => {
  const sessionId = await connectProvider(page, server, 'Demo');
  await waitForLiveView(page);
  // Told to end, the VM's first process exits with 1, as it does after every success.
  process.kill(findFirstProcess(server.dataDir, await findVmId(server.dataDir, sessionId)), 'SIGTERM');

  await expect(page.getByRole('heading', { name: 'The sign-in failed' })).toBeVisible();
  await expect(page.getByTestId('error-message')).toHaveText(
    'The sign-in browser ended before the sign-in was finished. Nothing was stored. Start again.',
  );
  expect(await waitUntilGone(server.dataDir, sessionId)).toMatchObject({
    exit_code: 1,
    exit_reason: 'exited with code 1',
  });
  const select = 'select status, error_code, completed_at, credential_id from auth_sessions where session_id = $1';
  expect(await query(server.dataDir, select, [sessionId])).toEqual([
    { status: 'failed', error_code: 'vm_ended', completed_at: null, credential_id: null },
  ]);
  expect(await query(server.dataDir, 'select from provider_credentials')).toEqual([]);

  await test.step('the search that finds no failure after success finds this one', async () => {
    const traces = await collectTraces(page, server, { sessionId, userId: 'me' });
    expect(findPlaces(traces, /fail|did not work/i)).toEqual([
      'session page',
      'API: session',
      'API: sessions of the user',
      'API: timeline',
      'events',
      'database',
    ]);
  });

  await test.step('the next try succeeds, and the first stays failed', async () => {
    await page.goto(`${server.origin}/sessions/${sessionId}`);
    await page.getByRole('button', { name: 'Start again' }).click();
    await expect.poll(() => toSessionId(page)).not.toBe(sessionId);
    await signInByHand(page, DEMO_LOOK, { user: 'demo', password: 'demo' });
    await expectConnected(page);
    expect(await query(server.dataDir, select, [sessionId])).toMatchObject([{ status: 'failed' }]);
  });
});
