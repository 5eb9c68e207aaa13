/** Tests of machines, on the runtime that `npm run e2e:vm` names. */
import { defineConfig } from '@playwright/test';
import shared from '../../playwright.config.ts';
import { PATIENCE } from '../support/patience.ts';

/** Its deaths have a file of their own, as only its double can be made to end at each moment. */
const OF_FIRECRACKER = ['vm/demo.e2e.ts', 'firecracker.e2e.ts'];

export default defineConfig({
  ...shared,
  testDir: '..',
  testMatch: process.env['E2E_RUNTIME'] === 'firecracker' ? OF_FIRECRACKER : ['vm/*.e2e.ts'],
  testIgnore: [],
  timeout: 180_000 * PATIENCE,
  expect: { timeout: 30_000 * PATIENCE },
  outputDir: '../../test-results/e2e-vm',
});
