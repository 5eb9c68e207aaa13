/** The demo, by hand, on a machine of any runtime: typed into the live view, to *Connected*, until the machine is gone. */
import { expect, test, type Page } from '@playwright/test';
import { createClient } from '@vestibule/protocol/client';
import { openCredential, query } from './database.ts';
import { signInToDemo } from './demo-sign-in.ts';
import { PATIENCE } from './patience.ts';
import type { RuntimeUnderTest } from './runtime-under-test.ts';
import type { VestibuleServer } from './vestibule-server.ts';

const CREDENTIAL = '.config/vestibule-demo/credentials.json';

export type DemoFlow = { server: VestibuleServer; runtime: RuntimeUnderTest; graceSeconds: number };

/** Throws at the first thing that is not as it should be. */
export async function playDemo(page: Page, { server, runtime, graceSeconds }: DemoFlow): Promise<void> {
  const { dataDir } = server;
  const client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
  const sessionId = await signInToDemo(page, server, 'me');
  const findVm = async (columns: string): Promise<Record<string, unknown> | undefined> => {
    const text = `select ${columns} from browser_vms v join auth_sessions s using (vm_id) where s.session_id = $1`;
    return (await query(dataDir, text, [sessionId]))[0];
  };

  await test.step('success is shown during the grace, while the machine still runs', async () => {
    await expect(page.getByTestId('machine')).toContainText('will be destroyed in');
    expect(await findVm('state, runtime, exited_at')).toEqual({
      ...{ state: 'claimed', runtime: runtime.kind, exited_at: null },
    });
  });

  await test.step('the operator’s query says completed', async () => {
    const rows = await query(
      dataDir,
      'SELECT session_id, provider, status, completed_at FROM auth_sessions WHERE session_id IN ($1)',
      [sessionId],
    );
    expect(rows).toEqual([
      { session_id: sessionId, provider: 'demo', status: 'completed', completed_at: expect.any(Date) as Date },
    ]);
  });

  await test.step('the stored credential opens to exactly the bytes the CLI wrote', async () => {
    const files = await openCredential(dataDir, sessionId);
    expect([...files.keys()]).toEqual([CREDENTIAL]);
    expect(JSON.parse(String(files.get(CREDENTIAL)))).toMatchObject({ account: 'demo@vestibule.example' });
    const written = await runtime.readHomeFile?.(dataDir, sessionId, CREDENTIAL);
    if (written !== undefined) expect(files.get(CREDENTIAL)?.equals(written)).toBe(true);
  });

  await test.step('the log of the machine is there while it runs', async () => {
    expect(await client.readMachineLog(sessionId)).toContain('agent listening');
  });

  await test.step('the machine ends after its grace, as its supervisor saw, and the page calls that normal', async () => {
    const { code, reason } = runtime.normalEnd;
    const timeout = (graceSeconds + 30) * 1000 * PATIENCE;
    await expect(page.getByTestId('machine')).toContainText(`ended (code ${code}): normal`, { timeout });
    await expect.poll(() => findVm('state'), { timeout }).toEqual({ state: 'gone' });
    const vm = await findVm(
      'exit_code, exit_reason, extract(epoch from v.exited_at - s.completed_at)::float8 as grace',
    );
    expect(vm?.['exit_code']).toBe(code);
    expect(vm?.['exit_reason']).toMatch(reason);
    expect(vm?.['grace']).toBeGreaterThan(graceSeconds - 1);
  });

  await test.step('the session is still completed, and the reloaded page still says Connected', async () => {
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Connected' })).toBeVisible();
    expect(await query(dataDir, 'select status from auth_sessions where session_id = $1', [sessionId])).toEqual([
      { status: 'completed' },
    ]);
  });

  await test.step('the page leads to the log of the machine that is gone', async () => {
    await page.getByText('What happened', { exact: true }).click();
    const opened = page.waitForEvent('popup');
    await page.getByRole('link', { name: 'Log of the sign-in machine' }).click();
    await expect((await opened).locator('body')).toContainText('agent ending');
  });
}
