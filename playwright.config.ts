/** End-to-end tests: a real browser uses the product as a person would. One at a time, as each owns a running Vestibule. */
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.e2e.ts',
  // On any runtime: `npm run e2e:vm`.
  testIgnore: 'vm/**',
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  outputDir: 'test-results/e2e',
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 900 },
    // Without the film: it would cost a quarter of the processor time of all tests. Every page's DOM at each step is there.
    trace: { mode: 'retain-on-failure', screenshots: false },
    screenshot: 'only-on-failure',
    launchOptions: { executablePath: process.env['E2E_BROWSER'] ?? '/usr/bin/chromium' },
  },
});
