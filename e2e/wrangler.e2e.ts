/**
 * `wrangler`, unmodified from npm, by hand: its identity provider stands outside the VM's network and is reached by DNS and NAT.
 * Needs root, for networks of the VMs' own.
 */
import { expect, test, type Page } from '@playwright/test';
import { readHomeFile } from './support/browser-vm.ts';
import { openCredential, query } from './support/database.ts';
import { IDENTITY_PROVIDER_LOOK, signInByHand } from './support/live-view.ts';
import { skipUnlessRoot } from './support/requirements.ts';
import { connectProvider, expectConnected } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';
import { createWorld, type World } from './support/world.ts';

const PROVIDER = 'Cloudflare Wrangler';
const CREDENTIAL = '.config/.wrangler/config/default.toml';
const USERS = { ada: 'correct horse', grace: 'battery staple' };

skipUnlessRoot('a browser VM gets a network of its own');

let world: World;
let server: VestibuleServer;
test.beforeAll(async () => {
  world = await createWorld({ users: USERS, tokenPrefix: 'fake' });
  server = await startVestibule({ env: { ...world.env, VESTIBULE_GRACE_SECONDS: '5' } });
});
// One hook each: when one of them could not be made or ended, the other is ended all the same.
test.afterAll(() => server.remove());
test.afterAll(() => world.close());

async function expectCredentialOf(user: string, sessionId: string): Promise<void> {
  const inVm = await readHomeFile(server.dataDir, sessionId, CREDENTIAL);
  const stored = await openCredential(server.dataDir, sessionId);
  expect([...stored.keys()]).toEqual([CREDENTIAL]);
  expect(stored.get(CREDENTIAL)?.equals(inVm)).toBe(true);
  const tokens = world.issued().findLast((entry) => entry.user === user);
  expect(inVm.toString()).toContain(`oauth_token = "${tokens?.accessToken}"`);
  expect(inVm.toString()).toContain(`refresh_token = "${tokens?.refreshToken}"`);
}

test('a person installs and signs in to wrangler and stays connected whatever becomes of the machine', async ({
  page,
}) => {
  const sessionId = await connectProvider(page, server, PROVIDER, 'ada');
  await test.step('the page shows the installation while it goes on', async () => {
    const install = page.locator('[data-preparation=install]');
    await expect(install).toHaveAttribute('data-state', 'now');
    await expect(install).toContainText('Installing wrangler@4.86.0 from npm');
    await expect(install).toContainText(/MB so far/);
  });
  await signInByHand(page, IDENTITY_PROVIDER_LOOK, { user: 'ada', password: USERS.ada });
  await expectConnected(page);
  await test.step('the stored credential holds exactly the bytes the CLI wrote', () =>
    expectCredentialOf('ada', sessionId));

  await test.step('the machine ends with exit code 1, as its supervisor saw, and the session stays completed', async () => {
    await expect(page.getByTestId('machine')).toContainText('ended (code 1): normal');
    await expect(page.getByTestId('machine')).toContainText('It has been destroyed');
    const rows = await query(
      server.dataDir,
      `select s.session_id, s.provider, s.status, s.completed_at, v.state, v.exit_code, v.exit_reason
       from auth_sessions s join browser_vms v using (vm_id) where s.session_id = $1`,
      [sessionId],
    );
    expect(rows).toEqual([
      {
        session_id: sessionId,
        provider: 'wrangler',
        status: 'completed',
        completed_at: expect.any(Date) as Date,
        state: 'gone',
        exit_code: 1,
        exit_reason: 'exited with code 1',
      },
    ]);
    await page.reload();
    await expectConnected(page);
  });
});

test('two people sign in at once, though the CLI always listens on the same port', async ({ page, browser }) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  try {
    const people: { user: keyof typeof USERS; page: Page; sessionId: string }[] = [];
    for (const [user, at] of [
      ['ada', page],
      ['grace', await context.newPage()],
    ] as const)
      people.push({ user, page: at, sessionId: await connectProvider(at, server, PROVIDER, `at-once-${user}`) });
    const sessionIds = people.map(({ sessionId }) => sessionId);
    const waiting = `select session_id from auth_sessions where session_id = any($1) and status = 'awaiting_user_auth'`;
    // Both CLIs listen on their callback port now, and both stay there until their person has signed in.
    await expect.poll(async () => (await query(server.dataDir, waiting, [sessionIds])).length).toBe(2);
    await Promise.all(
      people.map(async ({ user, page: at, sessionId }) => {
        await signInByHand(at, IDENTITY_PROVIDER_LOOK, { user, password: USERS[user] });
        await expectConnected(at);
        await expectCredentialOf(user, sessionId);
      }),
    );
    const completed = `select session_id from auth_sessions where session_id = any($1) and status = 'completed'`;
    expect(await query(server.dataDir, completed, [sessionIds])).toHaveLength(2);
  } finally {
    await context.close();
  }
});
