/** The demo, by hand: typed into the live view, to *Connected*, with the unshortened grace of 30 s. */
import { expect, test } from '@playwright/test';
import { readHomeFile } from './support/browser-vm.ts';
import { openCredential, query } from './support/database.ts';
import { DEMO_LOOK, signInByHand } from './support/live-view.ts';
import { startSignIn } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

const CREDENTIAL = '.config/vestibule-demo/credentials.json';

let server: VestibuleServer;
test.beforeAll(async () => {
  server = await startVestibule({ args: ['--demo'] });
});
test.afterAll(() => server.remove());

test('a person signs in to the demo and stays connected whatever becomes of the machine', async ({ page }) => {
  await page.goto(server.signInLink);
  await startSignIn(page, 'Demo');
  await signInByHand(page, DEMO_LOOK, { user: 'demo', password: 'demo' });
  await expect(page.getByRole('heading', { name: 'Connected' })).toBeVisible();
  const sessionId = new URL(page.url()).pathname.split('/').at(-1) ?? '';

  await test.step('success is shown during the grace, while the machine still runs', async () => {
    await expect(page.getByTestId('machine')).toContainText('will be destroyed in');
    const [vm] = await query(
      server.dataDir,
      `select state, exited_at from browser_vms v join auth_sessions s using (vm_id) where s.session_id = $1`,
      [sessionId],
    );
    expect(vm).toEqual({ state: 'claimed', exited_at: null });
  });

  await test.step('the operator’s query says completed', async () => {
    const rows = await query(
      server.dataDir,
      'SELECT session_id, provider, status, completed_at FROM auth_sessions WHERE session_id IN ($1)',
      [sessionId],
    );
    expect(rows).toEqual([
      { session_id: sessionId, provider: 'demo', status: 'completed', completed_at: expect.any(Date) as Date },
    ]);
  });

  await test.step('the stored credential opens to exactly the bytes the CLI wrote', async () => {
    const files = await openCredential(server.dataDir, sessionId);
    expect([...files.keys()]).toEqual([CREDENTIAL]);
    expect(files.get(CREDENTIAL)?.equals(await readHomeFile(server.dataDir, sessionId, CREDENTIAL))).toBe(true);
    expect(JSON.parse(String(files.get(CREDENTIAL)))).toMatchObject({ account: 'demo@vestibule.example' });
  });

  await test.step('the machine ends with exit code 1 after 30 s, as its supervisor saw, and the page calls that normal', async () => {
    await expect(page.getByTestId('machine')).toContainText('ended (code 1): normal', { timeout: 60_000 });
    const [vm] = await query<{ grace: number }>(
      server.dataDir,
      `select v.state, v.exit_code, v.exit_reason, extract(epoch from v.exited_at - s.completed_at)::float8 as grace
       from browser_vms v join auth_sessions s using (vm_id) where s.session_id = $1`,
      [sessionId],
    );
    expect(vm).toMatchObject({ state: 'gone', exit_code: 1, exit_reason: 'exited with code 1' });
    expect(vm?.grace).toBeGreaterThan(29);
  });

  await test.step('the session is still completed, and the reloaded page still says Connected', async () => {
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Connected' })).toBeVisible();
    expect(await query(server.dataDir, 'select status from auth_sessions where session_id = $1', [sessionId])).toEqual([
      { status: 'completed' },
    ]);
  });
});
