/** The five criteria of a sign-in that counts, each a test, with real sign-ins to the demo. Their opposite is in opposite.e2e.ts. */
import { expect, test } from '@playwright/test';
import { createClient } from '@vestibule/protocol/client';
import { findFirstProcess, findVmId, readHomeFile } from './support/browser-vm.ts';
import { openCredential, query, waitUntilGone } from './support/database.ts';
import { signInToDemo } from './support/demo-sign-in.ts';
import { expectConnected } from './support/sign-in-pages.ts';
import { collectTraces, findPlaces } from './support/traces.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

const CREDENTIAL = '.config/vestibule-demo/credentials.json';

let server: VestibuleServer;
test.beforeAll(async () => {
  server = await startVestibule({ args: ['--demo'], env: { VESTIBULE_GRACE_SECONDS: '4' } });
});
test.afterAll(() => server.remove());

test('sign-in completes → credential stored → session completed', async ({ page }) => {
  const sessionId = await signInToDemo(page, server, 'first');
  const stored = await openCredential(server.dataDir, sessionId);
  expect(stored.get(CREDENTIAL)?.equals(await readHomeFile(server.dataDir, sessionId, CREDENTIAL))).toBe(true);
  const rows = await query(
    server.dataDir,
    `select s.status, c.xmin = e.xmin as in_one_transaction
     from auth_sessions s
     join provider_credentials c on c.credential_id = s.credential_id and c.source_session_id = s.session_id
     join auth_session_events e on e.session_id = s.session_id and e.type = 'credential_stored'
     where s.session_id = $1`,
    [sessionId],
  );
  expect(rows).toEqual([{ status: 'completed', in_one_transaction: true }]);
});

test('VM destroyed with exit code 1 → session remains completed', async ({ page }) => {
  const sessionId = await signInToDemo(page, server, 'second');
  const select = 'select status, completed_at, ended_at, credential_id from auth_sessions where session_id = $1';
  const before = await query(server.dataDir, select, [sessionId]);
  expect(await waitUntilGone(server.dataDir, sessionId)).toMatchObject({
    exit_code: 1,
    exit_reason: 'exited with code 1',
  });
  expect(await query(server.dataDir, select, [sessionId])).toEqual(before);
  expect(before).toMatchObject([{ status: 'completed' }]);
  await expect(page.getByTestId('machine')).toContainText('ended (code 1): normal');
  await page.reload();
  await expectConnected(page);
});

test('the page detects completed and shows success', async ({ page }) => {
  const loads: string[] = [];
  const reads: string[] = [];
  page.on('load', () => loads.push(page.url()));
  page.on('request', (request) => {
    if (request.method() === 'GET' && /auth-sessions\/[^/]+$/.test(request.url())) reads.push(request.url());
  });
  const sessionId = await signInToDemo(page, server, 'third');
  await expect(page.getByTestId('outcome')).toContainText('Demo is ready to use for third.');
  await expect(page.getByTestId('account')).toHaveText('demo@vestibule.example');
  await expect(page).toHaveTitle(/^Connected/);
  // It was told: it neither loaded itself again nor asked.
  expect({ loads: loads.length, reads }).toEqual({ loads: 1, reads: [] });
  const later = await page.context().newPage();
  await later.goto(`${server.origin}/sessions/${sessionId}`);
  await expectConnected(later);
});

test('no "failed" anywhere after success', async ({ page }) => {
  const sessionId = await signInToDemo(page, server, 'fourth');
  await waitUntilGone(server.dataDir, sessionId);
  const traces = await collectTraces(page, server, { sessionId, userId: 'fourth' });
  expect(findPlaces(traces, /fail|did not work/i)).toEqual([]);
  // Each place that was searched speaks of this success.
  expect(findPlaces(traces, new RegExp(`Connected|${sessionId}`))).toEqual(Object.keys(traces));
});

test('the database shows completed for every successful sign-in', async ({ page }) => {
  const undisturbed = await signInToDemo(page, server, 'undisturbed');

  const killed = await signInToDemo(page, server, 'killed-machine');
  process.kill(findFirstProcess(server.dataDir, await findVmId(server.dataDir, killed)), 'SIGKILL');
  expect(await waitUntilGone(server.dataDir, killed)).toMatchObject({ exit_code: 137 });
  await expect(page.getByTestId('machine')).toContainText('ended (code 137): normal');

  const crashed = await signInToDemo(page, server, 'killed-controller');
  await server.kill();
  server = await server.restart();
  expect(await waitUntilGone(server.dataDir, crashed)).toMatchObject({ exit_code: 1 });

  const sessionIds = [undisturbed, killed, crashed];
  const rows = await query(
    server.dataDir,
    'SELECT session_id, provider, status FROM auth_sessions WHERE session_id IN ($1, $2, $3)',
    sessionIds,
  );
  expect(rows).toHaveLength(3);
  for (const session_id of sessionIds)
    expect(rows).toContainEqual({ session_id, provider: 'demo', status: 'completed' });
  const client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
  for (const sessionId of sessionIds)
    expect(await client.getSession(sessionId)).toMatchObject({ status: 'completed', errorCode: null });
  await expect(page.getByTestId('machine')).toContainText('It has been destroyed');
  await expectConnected(page);
});
