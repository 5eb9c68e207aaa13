/** Two real controllers over one PostgreSQL behind one address: killed, restarted, and each doing what the other was asked for. */
import { expect, test, type Page } from '@playwright/test';
import { type Controllers, startControllers } from './support/controllers.ts';
import { countUp, followSession, toSeqs } from './support/event-follower.ts';
import {
  canvasOf,
  clickIntoForm,
  DEMO_LOOK,
  moveToPassword,
  submitAndConsent,
  waitForLiveView,
} from './support/live-view.ts';
import { watchHeadings } from './support/seen-headings.ts';
import { connectProvider, expectConnected } from './support/sign-in-pages.ts';

const DEMO = { user: 'demo', password: 'demo' };

let controllers: Controllers;

/** Gives the tests of a group two controllers of their own. */
function useControllers(env: Record<string, string>): void {
  test.beforeAll(async () => {
    controllers = await startControllers(env);
  });
  test.afterAll(() => controllers.close());
}

/** Begins a sign-in whose VM runs already; says at which controller. */
async function begin(userId: string) {
  const [first] = controllers.all;
  const { sessionId } = await first.client.createSession({ userId, provider: 'demo' });
  await expect.poll(async () => (await first.client.getSession(sessionId)).status).toBe('awaiting_user_auth');
  return { sessionId, ...(await controllers.findOwner(sessionId)) };
}

/** Opens the session's page at the common address. */
async function openPage(page: Page, sessionId: string): Promise<void> {
  await page.goto(controllers.signInLink);
  await expect(page.getByRole('heading', { name: 'Connect your command-line tools' })).toBeVisible();
  await page.goto(`${controllers.proxy.origin}/sessions/${sessionId}`);
}

test.describe('machines that are only played', () => {
  useControllers({ VESTIBULE_RUNTIME: 'fake', VESTIBULE_GRACE_SECONDS: '2', VESTIBULE_HOLD_SECONDS: '6' });

  test('the controller of an open page is killed: the page goes on at the other one, and nothing false is shown', async ({
    page,
  }) => {
    const { sessionId, owner, other } = await begin('killed');
    controllers.prefer(other);
    await openPage(page, sessionId);
    await waitForLiveView(page);
    const seen = await watchHeadings(page);
    const follower = followSession(controllers.proxy.origin, controllers.token, sessionId);
    await expect.poll(() => follower.pushes.length).toBeGreaterThan(0);
    const seqBefore = follower.pushes.at(-1)!.session.seq;

    await other.server.kill();
    await expect.poll(follower.connections).toBe(2);
    await expect(page.getByTestId('live-view')).toHaveAttribute('data-state', 'connected');
    expect((await owner.client.getSession(sessionId)).status).toBe('awaiting_user_auth');
    await canvasOf(page).click();
    await expectConnected(page);
    await follower.ended;
    expect(toSeqs(follower)).toEqual(countUp(follower.pushes.at(-1)!.session.seq));
    expect(follower.pushes.at(-1)!.session).toMatchObject({ status: 'completed', vm: { state: 'gone' } });
    // Page and program both resumed where they were cut off.
    expect(controllers.proxy.resumed.filter((seq) => seq >= seqBefore).length).toBeGreaterThanOrEqual(2);
    expect(await seen()).toEqual(['Sign in to Demo', 'Connected']);
    await expect(page.getByTestId('machine')).toContainText('It has been destroyed');
    await other.restart();
  });

  test('what is done through one controller reaches a page of the other by push', async ({ page }) => {
    const { sessionId, owner, other } = await begin('pushed');
    controllers.prefer(other);
    await openPage(page, sessionId);
    await waitForLiveView(page);
    const reads: string[] = [];
    page.on('request', (request) => reads.push(`${request.method()} ${new URL(request.url()).pathname}`));
    const followers = controllers.all.map(({ origin }) => followSession(origin, controllers.token, sessionId));
    await owner.client.cancelSession(sessionId);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign-in cancelled');
    expect(reads.filter((read) => read.includes(sessionId))).toEqual([]);
    for (const follower of followers) {
      await follower.ended;
      expect(toSeqs(follower)).toEqual(countUp(follower.pushes.at(-1)!.session.seq));
    }
    const [one, two] = followers.map(({ pushes }) => pushes.flatMap(({ steps }) => steps));
    expect(one).toEqual(two);
  });

  test('an answer and a live view are taken at the controller that does not own the VM', async ({ page }) => {
    const { sessionId, owner, other } = await begin('elsewhere');
    controllers.prefer(other);
    await openPage(page, sessionId);
    await waitForLiveView(page);
    const answered = await other.client.answer(sessionId, { kind: 'line', text: 'canary-answer-of-a-person' });
    expect(answered.sessionId).toBe(sessionId);
    await expectConnected(page);
    const { steps } = await owner.client.getTimeline(sessionId);
    const types = steps.map(({ type }) => type);
    for (const type of ['live_view_opened', 'answer_received', 'answer_delivered'])
      expect(types.filter((one) => one === type)).toHaveLength(1);
    const outputs = controllers.all.map(({ server }) => server.output()).join('');
    expect(outputs + JSON.stringify(steps)).not.toContain('canary-answer');
    const kept = await controllers.query('select sealed_text from session_answers where sealed_text is not null');
    expect(kept).toEqual([]);
  });

  test('a host that does not return is given up: its page comes to an end, and the host clears up once it is back', async ({
    page,
  }) => {
    const { sessionId, owner, other } = await begin('lost');
    controllers.prefer(other);
    await openPage(page, sessionId);
    await waitForLiveView(page);
    const seen = await watchHeadings(page);
    const follower = followSession(other.origin, controllers.token, sessionId);
    await owner.server.kill();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('The sign-in failed');
    await expect(page.getByTestId('error-message')).toContainText('stopped answering');
    await follower.ended;
    expect(follower.pushes.at(-1)!.session).toMatchObject({ errorCode: 'host_lost', vm: { state: 'lost' } });
    expect(toSeqs(follower)).toEqual(countUp(follower.pushes.at(-1)!.session.seq));
    expect(await seen()).toEqual(['Sign in to Demo', 'The sign-in failed']);
    await owner.restart();
    await expect.poll(async () => (await other.client.getSession(sessionId)).vm?.state).toBe('gone');
    expect(await other.client.getSession(sessionId)).toMatchObject({ status: 'failed', errorCode: 'host_lost' });
  });
});

test.describe('real machines', () => {
  useControllers({ VESTIBULE_GRACE_SECONDS: '3', VESTIBULE_MAX_SESSIONS: '1' });

  test('controllers are restarted one after another under two sign-ins, and both complete', async ({
    page,
    context,
  }) => {
    const second = await context.newPage();
    const at = { origin: controllers.proxy.origin, signInLink: controllers.signInLink };
    const sessions: string[] = [];
    // Each host has one place: the two machines run on different hosts, so one of the live views is relayed.
    for (const [index, window] of [page, second].entries()) {
      sessions.push(await connectProvider(window, { ...controllers.all[0].server, ...at }, 'Demo', `rolling-${index}`));
      await clickIntoForm(window, DEMO_LOOK);
      await window.keyboard.type(DEMO.user, { delay: 15 });
      await moveToPassword(window, DEMO_LOOK);
    }
    const owners = await Promise.all(sessions.map((sessionId) => controllers.findOwner(sessionId)));
    expect(new Set(owners.map(({ owner }) => owner)).size).toBe(2);
    const seen = await Promise.all([page, second].map((window) => watchHeadings(window)));
    const followers = sessions.map((id) => followSession(controllers.proxy.origin, controllers.token, id));

    for (const controller of controllers.all) {
      const [other] = controllers.all.filter((one) => one !== controller);
      controllers.prefer(other!);
      expect(await controller.server.stop()).toBe(0);
      await controller.restart();
    }

    for (const window of [page, second]) {
      await waitForLiveView(window);
      await window.keyboard.type(DEMO.password, { delay: 15 });
      await submitAndConsent(window, DEMO_LOOK);
      await expectConnected(window);
    }
    for (const look of seen) expect(await look()).toEqual(['Sign in to Demo', 'Connected']);
    for (const follower of followers) {
      await follower.ended;
      expect(toSeqs(follower)).toEqual(countUp(follower.pushes.at(-1)!.session.seq));
      expect(follower.pushes.at(-1)!.session).toMatchObject({
        status: 'completed',
        vm: { state: 'gone', exitCode: 1 },
      });
    }
    const rows = await controllers.query(
      'SELECT session_id, provider, status FROM auth_sessions WHERE session_id IN ($1, $2)',
      sessions,
    );
    expect(rows).toHaveLength(2);
    for (const session_id of sessions)
      expect(rows).toContainEqual({ session_id, provider: 'demo', status: 'completed' });
  });

  test('the controller of a machine is killed under its sign-in: the page at the other one waits, and the person goes on', async ({
    page,
  }) => {
    const { sessionId, owner, other } = await begin('crashed');
    controllers.prefer(other);
    await openPage(page, sessionId);
    await clickIntoForm(page, DEMO_LOOK);
    await page.keyboard.type(DEMO.user, { delay: 15 });
    // A key on its way through a controller dies with it; the next field shows that all have arrived.
    await moveToPassword(page, DEMO_LOOK);
    const seen = await watchHeadings(page);
    const follower = followSession(controllers.proxy.origin, controllers.token, sessionId);
    await owner.server.kill();
    await expect(page.getByTestId('live-view')).not.toHaveAttribute('data-state', 'connected');
    expect((await other.client.getSession(sessionId)).status).toBe('awaiting_user_auth');
    await owner.restart();
    await waitForLiveView(page);
    await page.keyboard.type(DEMO.password, { delay: 15 });
    await submitAndConsent(page, DEMO_LOOK);
    await expectConnected(page);
    await follower.ended;
    expect(toSeqs(follower)).toEqual(countUp(follower.pushes.at(-1)!.session.seq));
    expect(await seen()).toEqual(['Sign in to Demo', 'Connected']);
  });
});
