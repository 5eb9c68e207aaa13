/** Every way to sign in on the pages, over machines that are only played: offered, answered, refused, changed in the middle. */
import { fileURLToPath } from 'node:url';
import { expect, test, type Page } from '@playwright/test';
import type { Mode } from '@vestibule/protocol/session';
import { query } from './support/database.ts';
import { waitForLiveView } from './support/live-view.ts';
import { expectFitsPhone, PHONE } from './support/narrow-page.ts';
import { changeWay, connectProvider, expectConnected, toSessionId, wayButton } from './support/sign-in-pages.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

const PROVIDERS = fileURLToPath(new URL('ways-provider', import.meta.url));
const NAME = 'Every Way';

/** What the machine of each sign-in plays, in the order in which the tests start them. */
const SCRIPTS = [
  {},
  {},
  { deviceApprovedAfterMs: 1_000 },
  { prompt: 'Do you want to continue? [Y/n] ', deviceApprovedAfterMs: null },
  { failure: { modes: ['device_code'], code: 'device_code_refused', detail: 'turned off' } },
  {},
];

test.describe.configure({ mode: 'serial' });

let server: VestibuleServer;
test.beforeAll(async () => {
  const env = { VESTIBULE_RUNTIME: 'fake', VESTIBULE_PROVIDERS_DIR: PROVIDERS, VESTIBULE_MAX_SESSIONS: '20' };
  server = await startVestibule({ env: { ...env, VESTIBULE_FAKE_SCRIPT: JSON.stringify(SCRIPTS) } });
});
test.afterAll(() => server.remove());

/** What the browser said about the pages: nothing on them may be refused by their own policy, the terminal's colours included. */
let complaints: string[] = [];
test.beforeEach(({ page }) => {
  complaints = [];
  page.on('console', (message) => complaints.push(message.text()));
});
test.afterEach(() => expect(complaints.filter((text) => text.includes('Content Security Policy'))).toEqual([]));

const connect = (page: Page, userId: string, mode: Mode): Promise<string> =>
  connectProvider(page, server, NAME, userId, mode);

/** The address that the sign-in page would lead to, by the link that is shown. */
async function toCallback(page: Page): Promise<URL> {
  const link = await page.getByRole('link', { name: 'Open it in a new tab' }).getAttribute('href');
  const { searchParams } = new URL(link ?? '');
  const callback = new URL(searchParams.get('redirect_uri') ?? '');
  callback.search = String(new URLSearchParams({ code: 'a-code', state: searchParams.get('state') ?? '' }));
  return callback;
}

test('a provider with a notice is offered once the operator has read and accepted it', async ({ page }) => {
  await page.goto(server.signInLink);
  await expect(page.getByRole('article', { name: NAME })).toContainText('Not offered yet.');
  await expect(page.getByRole('button', { name: `Connect ${NAME}` })).toHaveCount(0);
  await page.getByRole('button', { name: `Read the notice of ${NAME}` }).click();
  await expect(page.getByTestId('notice-text')).toContainText('Whoever runs this server can read the logins');
  await page.getByRole('button', { name: `Accept and offer ${NAME}` }).click();
  await expect(page.getByRole('button', { name: `Connect ${NAME}` })).toBeEnabled();
  await page.reload();
  await page.getByRole('button', { name: `Read the notice of ${NAME}` }).click();
  await expect(page.getByRole('dialog')).toContainText('Accepted on');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: `Connect ${NAME}` }).click();
  await expect(page.getByTestId('what-to-know')).toContainText('a program of Example Works');
  await page.getByLabel('I sign in with a passkey').check();
  await expect(page.getByRole('radio', { name: 'In your own browser' })).toBeChecked();
  await page.reload();
  await page.getByRole('button', { name: `Connect ${NAME}` }).click();
  await expect(page.getByRole('radio', { name: 'In your own browser' })).toBeChecked();
});

test('the address of the last page is taken from the own browser, and one of another sign-in refused in words', async ({
  page,
}) => {
  await connect(page, 'own-browser', 'own_browser');
  const box = page.getByLabel('The address of the last page');
  const give = page.getByRole('button', { name: `Give it to ${NAME}` });
  const callback = await toCallback(page);
  const other = new URL(callback);
  other.searchParams.set('state', 'of-another-sign-in');
  await box.fill(other.href);
  await expect(page.getByTestId('recognised')).toContainText('belongs to another sign-in');
  await expect(give).toBeDisabled();
  await box.fill(callback.href);
  await expect(page.getByTestId('recognised')).toHaveText('This is the address that the sign-in ended at.');
  await give.click();
  await expectConnected(page);
  await expect(page.getByTestId('account-plan')).toHaveText('Plan: pro');
  await expect(page.getByTestId('grade')).toContainText('It has not been tried at the provider yet.');
});

test('a key of the chosen kind is taken, one that looks otherwise is not sent', async ({ page }) => {
  await connect(page, 'token', 'token');
  const field = page.getByRole('textbox', { name: 'API key' });
  await field.fill('not-a-key');
  await expect(page.getByText('That does not look like what is asked for')).toBeVisible();
  await expect(page.getByRole('button', { name: `Give it to ${NAME}` })).toBeDisabled();
  await field.fill('ew-0123456789');
  await page.getByRole('button', { name: `Give it to ${NAME}` }).click();
  await expectConnected(page);
  expect(await page.content()).not.toContain('ew-0123456789');
});

test('a way changed twice in the middle completes, with one session and one version of the login', async ({ page }) => {
  const sessionId = await connect(page, 'changes', 'vm_browser');
  await waitForLiveView(page);
  await changeWay(page, 'own_browser');
  await expect(page.getByRole('link', { name: 'Open it in a new tab' })).toBeVisible();
  await changeWay(page, 'device_code');
  await expectConnected(page);
  expect(toSessionId(page)).toBe(sessionId);
  const [found] = await query(
    server.dataDir,
    `select (select count(*)::int from auth_sessions where user_id = 'changes') as sessions,
         (select count(*)::int from provider_credentials where user_id = 'changes') as versions,
         (select array_agg(data->>'to' order by seq) from auth_session_events where session_id = $1 and type = 'mode_changed') as ways`,
    [sessionId],
  );
  expect(found).toEqual({ sessions: 1, versions: 1, ways: ['own_browser', 'device_code'] });
});

test('the terminal opens by itself, takes no key before it is taken over, and the answer leads to the code', async ({
  page,
}) => {
  await page.setViewportSize(PHONE);
  const sessionId = await connect(page, 'prompt', 'device_code');
  await expect(page.getByTestId('prompt')).toContainText('Do you want to continue?');
  await expectFitsPhone(page);
  const printed = page.getByTestId('terminal').locator('.xterm-rows');
  await expect(printed).toContainText('Do you want to continue?');
  await printed.click({ force: true });
  await page.keyboard.type('n');
  await page.getByRole('button', { name: 'Take over the keyboard' }).click();
  await page.keyboard.type('y');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('device-code')).toHaveText(/^[A-Z]{4}-[A-Z]{4}$/);
  await expect(page.getByTestId('prompt')).toHaveCount(0);
  await expect(printed).toContainText('[Y/n] y');
  await page.keyboard.press('Control+Alt+Enter');
  await expect(page.getByRole('button', { name: 'Take over the keyboard' })).toBeFocused();
  await page.getByRole('button', { name: 'Close the terminal' }).click();
  await expect(page.getByTestId('code-time')).toContainText('The code counts for another');
  await page.getByRole('button', { name: 'QR code' }).click();
  await expect(page.getByRole('img', { name: 'QR code of the sign-in link' })).toBeVisible();
  await expectFitsPhone(page);
  await page.reload();
  await expect(page.getByTestId('device-code')).toBeVisible();
  const taken = await query(
    server.dataDir,
    `select count(*)::int as times from auth_session_events where session_id = $1 and type = 'terminal_taken'`,
    [sessionId],
  );
  expect(taken).toEqual([{ times: 1 }]);
});

test('the failure says so and leads to another way, and what the program printed is one click away', async ({
  page,
}) => {
  const refused = await connect(page, 'refused', 'device_code');
  await expect(page.getByTestId('error-message')).toContainText('does not let this account sign in with a code');
  await page.getByText('What the program printed').click();
  await expect(page.getByTestId('terminal').locator('.xterm-rows')).toContainText('enter the code');
  await wayButton(page.getByTestId('other-ways'), 'own_browser').click();
  await expect(page.getByRole('link', { name: 'Open it in a new tab' })).toBeVisible();
  expect(toSessionId(page)).not.toBe(refused);
});
