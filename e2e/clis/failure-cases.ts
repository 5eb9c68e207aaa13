/** Sign-ins that go wrong, each with its words; after some the person goes on and completes. */
import { expect } from '@playwright/test';
import type { CreateSessionBody } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { Mode } from '@vestibule/protocol/session';
import { runCommand } from '@vestibule/vm-manager/system/run-command';
import { findFirstProcess, findVmId } from '../support/browser-vm.ts';
import { query } from '../support/database.ts';
import {
  canvasOf,
  clickIntoForm,
  IDENTITY_PROVIDER_LOOK,
  moveToPassword,
  signInByHand,
  type Credentials,
} from '../support/live-view.ts';
import type { Behaviour } from '../identity-provider/behaviour.ts';
import type { Case } from './case.ts';
import { requireCompleted } from './completed.ts';
import { signInInLiveView, signInInOwnBrowser, signInWithDeviceCode, waitForOffer } from './sign-ins.ts';
import { ADA, type TestBed } from './test-bed.ts';

type Do = (bed: TestBed, sessionId: string) => Promise<void>;

/** The session fails with this code and its words, on the page as well, and nothing is stored. */
function fails(
  cli: string,
  what: string,
  mode: Mode,
  code: FailureCode,
  act: Do,
  behaviour?: Partial<Behaviour>,
): Case {
  return {
    cli,
    way: `${mode}: ${what}`,
    run: async (bed) => {
      const userId = bed.createUser();
      if (behaviour) await bed.world.behave(behaviour);
      const { sessionId } = await bed.begin(cli, mode, userId);
      await bed.show(sessionId);
      await act(bed, sessionId);
      const session = await bed.waitUntilEnded(sessionId);
      if (session.errorCode !== code)
        throw new Error(
          `${session.status}, ${session.errorCode}: ${session.errorMessage}\n${await bed.readOutput(sessionId)}`,
        );
      await expect(bed.page.getByTestId('error-message')).toHaveText(session.errorMessage ?? '');
      const stored = 'SELECT 1 FROM provider_credentials WHERE user_id = $1';
      expect(await query(bed.server.dataDir, stored, [userId])).toEqual([]);
      return `${session.errorCode}: ${session.errorMessage}`;
    },
  };
}

/** The account is right at the provider, and another than the session is for. */
function refusesAccount(cli: string, more: Partial<CreateSessionBody>): Case {
  const [rule = ''] = Object.keys(more);
  return {
    cli,
    way: `own_browser: another ${rule}`,
    run: async (bed) => {
      const userId = bed.createUser();
      const { sessionId } = await bed.begin(cli, 'own_browser', userId, more);
      await bed.show(sessionId);
      await signInInOwnBrowser(bed, sessionId);
      const session = await bed.waitUntilEnded(sessionId);
      expect(session).toMatchObject({ status: 'failed', errorCode: 'wrong_account' });
      const stored = 'SELECT 1 FROM provider_credentials WHERE user_id = $1';
      expect(await query(bed.server.dataDir, stored, [userId])).toEqual([]);
      return `${session.errorCode}: ${session.errorMessage}`;
    },
  };
}

/** The sign-in goes on after it and completes. */
function goesOn(
  cli: string,
  what: string,
  mode: Mode,
  act: (bed: TestBed, sessionId: string) => Promise<string>,
): Case {
  return {
    cli,
    way: `${mode}: ${what}`,
    run: async (bed) => {
      const { sessionId } = await bed.begin(cli, mode, bed.createUser());
      await bed.show(sessionId);
      const said = await act(bed, sessionId);
      await requireCompleted(bed, sessionId);
      return `${said}; then completed`;
    },
  };
}

async function denyInLiveView({ page }: TestBed): Promise<void> {
  await fillIn(page, ADA);
  await page.keyboard.press('Enter');
  // The consent page has the focus on "Allow"; the next button is "Deny".
  await page.waitForTimeout(1500);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
}

async function fillIn(page: TestBed['page'], { user, password }: Credentials): Promise<void> {
  await clickIntoForm(page, IDENTITY_PROVIDER_LOOK);
  await page.keyboard.type(user, { delay: 15 });
  await moveToPassword(page, IDENTITY_PROVIDER_LOOK);
  await page.keyboard.type(password, { delay: 15 });
}

async function mistypePassword(bed: TestBed): Promise<string> {
  await fillIn(bed.page, { ...ADA, password: 'wrong' });
  await bed.page.keyboard.press('Enter');
  const refused = (): boolean => bed.world.journal().some(({ type }) => type === 'password_refused');
  await expect.poll(refused, { timeout: 20_000 }).toBe(true);
  await bed.page.waitForTimeout(1000);
  await signInByHand(bed.page, IDENTITY_PROVIDER_LOOK, ADA);
  return 'the sign-in page said that the password is wrong';
}

async function closeBrowser(bed: TestBed, sessionId: string): Promise<string> {
  const { page } = bed;
  await clickIntoForm(page, IDENTITY_PROVIDER_LOOK);
  const asked = (): number => bed.world.journal().filter(({ type }) => type === 'requested').length;
  const before = asked();
  await canvasOf(page).focus();
  await page.keyboard.press('Control+w');
  await expect.poll(asked, { timeout: 30_000 }).toBeGreaterThan(before);
  expect((await bed.client.getSession(sessionId)).status).toBe('awaiting_user_auth');
  await signInInLiveView(bed);
  return 'the browser came back by itself, at the sign-in page';
}

async function giveWrongState(bed: TestBed, sessionId: string): Promise<string> {
  const offer = await waitForOffer(bed, sessionId);
  const { port, path } = offer.callback!;
  const text = `http://localhost:${port}${path}?code=stolen&state=of-another-sign-in`;
  const refused = await bed.client.answer(sessionId, { text }).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(refused instanceof AppError)) throw new Error('an answer with a wrong state was taken');
  await signInInOwnBrowser(bed, sessionId);
  return refused.message;
}

/** A request of nobody's to the port that the CLI listens on, from inside the VM. */
async function knock(bed: TestBed, sessionId: string): Promise<void> {
  const { callback } = await waitForOffer(bed, sessionId);
  const pid = findFirstProcess(bed.server.dataDir, await findVmId(bed.server.dataDir, sessionId));
  const url = `http://127.0.0.1:${callback!.port}/favicon.ico`;
  const script = "fetch(process.argv[1], { redirect: 'manual' })";
  await runCommand(['nsenter', `--net=/proc/${pid}/ns/net`, '--', process.execPath, '-e', script, url]);
}

async function knockAndSignIn(bed: TestBed, sessionId: string): Promise<string> {
  await knock(bed, sessionId);
  await signInInOwnBrowser(bed, sessionId);
  return 'the program answered the stray request and waited on';
}

/** Tells the scripted CLI what to do next. */
function script(...lines: string[]): Do {
  return async ({ client, page }, sessionId) => {
    await expect
      .poll(async () => (await client.getSession(sessionId)).capabilities, { timeout: 60_000 })
      .toContain('cli');
    for (const text of lines) {
      await client.answer(sessionId, { kind: 'line', text });
      await page.waitForTimeout(500);
    }
  };
}

const nothing: Do = async () => undefined;
const deny: Do = (bed, sessionId) => signInInOwnBrowser(bed, sessionId, 'deny');
const denyCode: Do = (bed, sessionId) => signInWithDeviceCode(bed, sessionId, 'deny');
const allow: Do = (bed, sessionId) => signInInOwnBrowser(bed, sessionId);

export const FAILURE_CASES: readonly Case[] = [
  fails('codex', 'consent denied', 'vm_browser', 'sign_in_denied', denyInLiveView),
  fails('claude_code', 'consent denied', 'own_browser', 'sign_in_denied', deny),
  fails('codex', 'consent denied', 'own_browser', 'sign_in_denied', deny),
  fails('gemini_cli', 'consent denied', 'own_browser', 'sign_in_denied', deny),
  fails('gh', 'consent denied', 'device_code', 'sign_in_denied', denyCode),
  goesOn('codex', 'wrong password', 'vm_browser', mistypePassword),
  goesOn('codex', 'browser closed', 'vm_browser', closeBrowser),
  goesOn('codex', 'wrong state', 'own_browser', giveWrongState),
  goesOn('gemini_cli', 'wrong state', 'own_browser', giveWrongState),
  goesOn('codex', 'stray request to its port', 'own_browser', knockAndSignIn),
  fails('gemini_cli', 'stray request to its port', 'own_browser', 'callback_refused', knock),
  fails('gh', 'code expired', 'device_code', 'code_expired', nothing, { deviceCodes: 'expired' }),
  fails('codex', 'code not allowed', 'device_code', 'device_code_refused', nothing, { deviceCodes: 'refused' }),
  fails('codex', 'blank token', 'own_browser', 'credential_blank', allow, { tokens: 'blank' }),
  refusesAccount('claude_code', { organization: 'another-organization' }),
  refusesAccount('codex', { expectedAccount: 'grace@example.org' }),
  refusesAccount('gemini_cli', { allowedDomains: ['example.com'] }),
  fails('codex', 'service unavailable', 'own_browser', 'provider_http', allow, { tokens: 'unavailable' }),
  fails('scripted', 'ends with 3 after success', 'vm_browser', 'cli_exited', script('open', 'crash')),
];
