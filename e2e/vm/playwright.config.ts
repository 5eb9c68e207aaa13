/** Tests of machines, on the runtime that `npm run e2e:vm` names. */
import { defineConfig } from '@playwright/test';
import shared from '../../playwright.config.ts';
import { PATIENCE } from '../support/patience.ts';

export default defineConfig({
  ...shared,
  testDir: '.',
  testIgnore: [],
  timeout: 180_000 * PATIENCE,
  expect: { timeout: 30_000 * PATIENCE },
  outputDir: '../../test-results/e2e-vm',
});
