/**
 * Sign-ins in VMs of the runtime `firecracker`, and what becomes of them when the VM ends with code 1 at each moment (I1, I3). Against the double of
 * Firecracker, with the real agent as its guest; on a server with KVM, where VESTIBULE_FIRECRACKER, VESTIBULE_JAILER and VESTIBULE_IMAGES_DIR are
 * set, against Firecracker itself, without the test of the hand-over, whose moment only the double can hit.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, type Page } from '@playwright/test';
import { createClient, type Client } from '@vestibule/protocol/client';
import { VSOCK } from '@vestibule/vm-manager/vm/vsock-ports';
import { findVmId } from './support/browser-vm.ts';
import { query, waitUntilGone } from './support/database.ts';
import { openFirecrackerMachine, type FirecrackerMachine } from './support/firecracker-machine.ts';
import { skipUnlessRoot } from './support/requirements.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

const PROVIDERS_DIR = join(dirname(fileURLToPath(import.meta.url)), 'scripted-provider');

skipUnlessRoot("Firecracker's jailer is root's");
let machine: FirecrackerMachine;
let server: VestibuleServer;
let client: Client;
test.beforeAll(async () => {
  machine = await openFirecrackerMachine();
  const env = { ...machine.env, VESTIBULE_PROVIDERS_DIR: PROVIDERS_DIR, VESTIBULE_GRACE_SECONDS: '4' };
  server = await startVestibule({ env });
  client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
});
test.afterEach(() => machine.configure({}));
test.afterAll(async () => {
  await server.remove();
  machine.close();
});

/** Until the program in the VM waits for its steps; its page is open. */
async function begin(page: Page, userId: string): Promise<string> {
  const { sessionId } = await client.createSession({ userId, provider: 'scripted' });
  await page.goto(server.signInLink);
  await page.getByLabel('For whom').waitFor();
  await page.goto(`${server.origin}/sessions/${sessionId}`);
  await expect
    .poll(async () => (await client.getSession(sessionId)).capabilities, { timeout: 60_000 })
    .toContain('cli');
  return sessionId;
}
const tell = (sessionId: string, text: string) => client.answer(sessionId, { kind: 'line', text });
const statusOf = async (sessionId: string) => (await client.getSession(sessionId)).status;
const storedFor = (userId: string) =>
  query(server.dataDir, 'select 1 from provider_credentials where user_id = $1', [userId]);
const stepOf = (page: Page, type: string) => page.getByTestId('steps').locator(`[data-step="${type}"]`);
const openTimeline = (page: Page) => page.getByText('What happened', { exact: true }).click();

test('signs a person in, stores the login, and lets the VM go by a restart of its guest', async ({ page }) => {
  const sessionId = await begin(page, 'whole');
  await tell(sessionId, 'open');
  await tell(sessionId, 'finish');
  await expect.poll(() => statusOf(sessionId)).toBe('completed');
  expect(await storedFor('whole')).toHaveLength(1);
  const end = await waitUntilGone(server.dataDir, sessionId);
  expect(end.exit_code).toBe(0);
  expect(end.exit_reason).toMatch(/^exited with code 0: the guest restarted, as it was asked to, after its agent had/);
});

test('a VM that ends with 1 in its grace leaves the sign-in completed, and the page says that this is normal', async ({
  page,
}) => {
  const sessionId = await begin(page, 'grace');
  await tell(sessionId, 'finish');
  await expect.poll(() => statusOf(sessionId)).toBe('completed');
  await machine.end(server.dataDir, await findVmId(server.dataDir, sessionId));
  const end = await waitUntilGone(server.dataDir, sessionId);
  const code = machine.isDouble ? 1 : 137;
  expect(end.exit_code).toBe(code);
  expect(await statusOf(sessionId)).toBe('completed');
  expect(await storedFor('grace')).toHaveLength(1);
  await openTimeline(page);
  await expect(stepOf(page, 'vm_exited')).toContainText(`ended (code ${code}): normal`);
  await expect(page.getByTestId('what-happened')).not.toContainText(/fail/i);
});

test('a VM that ends with 1 before there is a login is a failure, in words', async ({ page }) => {
  const sessionId = await begin(page, 'early');
  await tell(sessionId, 'open');
  await machine.end(server.dataDir, await findVmId(server.dataDir, sessionId));
  await expect.poll(() => statusOf(sessionId)).toBe('failed');
  await expect(page.getByRole('heading', { name: 'The sign-in failed' })).toBeVisible();
  expect(await storedFor('early')).toEqual([]);
  const end = await waitUntilGone(server.dataDir, sessionId);
  const words = machine.isDouble ? 'exited with code 1: a processor of the VM stopped' : 'killed by SIGKILL';
  expect(end.exit_reason).toContain(words);
  await openTimeline(page);
  await expect(stepOf(page, 'vm_exited')).toContainText('before the sign-in was over');
  await expect(stepOf(page, 'settling')).toContainText('Because the sign-in machine ended');
});

test.describe('a VM that ends with 1 during the hand-over, before it was acknowledged', () => {
  const during = (isHeard: boolean) =>
    machine.configure({
      endWhenSaid: { port: VSOCK.agentPort, text: '"type":"handover"', isHeard, end: 'triple_fault' },
    });

  test('completes the sign-in when the login had been said', async ({ page }) => {
    test.skip(!machine.isDouble, 'only the double can be ended at that moment');
    during(true);
    const sessionId = await begin(page, 'heard');
    await tell(sessionId, 'finish');
    await expect.poll(() => statusOf(sessionId)).toBe('completed');
    expect(await storedFor('heard')).toHaveLength(1);
    expect((await waitUntilGone(server.dataDir, sessionId)).exit_code).toBe(1);
    expect(await statusOf(sessionId)).toBe('completed');
  });

  test('fails it, and stores nothing, when it had not', async ({ page }) => {
    test.skip(!machine.isDouble, 'only the double can be ended at that moment');
    during(false);
    const sessionId = await begin(page, 'unheard');
    await tell(sessionId, 'finish');
    await expect.poll(() => statusOf(sessionId)).toBe('failed');
    expect(await storedFor('unheard')).toEqual([]);
    expect((await waitUntilGone(server.dataDir, sessionId)).exit_code).toBe(1);
  });
});
