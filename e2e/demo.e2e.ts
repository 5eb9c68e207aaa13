/** The demo, by hand: typed into the live view, to *Connected*, with the unshortened grace of 30 s. */
import { test } from '@playwright/test';
import { playDemo } from './support/demo-flow.ts';
import { PROCESS } from './support/runtime-under-test.ts';
import { startVestibule, type VestibuleServer } from './support/vestibule-server.ts';

let server: VestibuleServer;
test.beforeAll(async () => {
  server = await startVestibule({ args: ['--demo'] });
});
test.afterAll(() => server.remove());

test('a person signs in to the demo and stays connected whatever becomes of the machine', async ({ page }) => {
  await playDemo(page, { server, runtime: PROCESS, graceSeconds: 30 });
});
