/** The demo, by hand, on the runtime under test. */
import { expect, test } from '@playwright/test';
import { createClient } from '@vestibule/protocol/client';
import { playDemo } from '../support/demo-flow.ts';
import { findRuntimeUnderTest } from '../support/runtime-under-test.ts';
import { startVestibule, type VestibuleServer } from '../support/vestibule-server.ts';

const runtime = findRuntimeUnderTest();
const GRACE_SECONDS = 5;

let server: VestibuleServer;
test.beforeAll(async () => {
  const times = { VESTIBULE_SESSION_SECONDS: '3600', VESTIBULE_GRACE_SECONDS: String(GRACE_SECONDS) };
  server = await startVestibule({ args: ['--demo'], env: { ...times, ...runtime.env } });
});
test.afterAll(() => server?.remove());

test(`a machine of the runtime ${runtime.kind} lacks nothing here`, async () => {
  const client = createClient({ baseUrl: server.origin, headers: { authorization: `Bearer ${server.token}` } });
  const { runtime: kind, requirements } = await client.listProviders();
  expect(kind).toBe(runtime.kind);
  expect(requirements.filter(({ severity }) => severity === 'missing')).toEqual([]);
});

test('a person signs in to the demo and stays connected whatever becomes of the machine', async ({ page }) => {
  await playDemo(page, { server, runtime, graceSeconds: GRACE_SECONDS });
});
