/**
 * Three kinds of tests by file name: `x.test.ts` needs nothing, `x.pg.test.ts` a PostgreSQL that the global set-up starts, `x.vm.test.ts`
 * what a runtime's preflight asks for; the last run one at a time, as they own processes, networks and displays.
 */
import { defineConfig } from 'vitest/config';

const ELSEWHERE = ['**/*.pg.test.ts', '**/*.vm.test.ts', '**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    // Most wait for a database or a process, few for the processor.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/**/*.test.ts', 'scripts/**/*.test.ts', 'simulation/**/*.test.ts', 'torture/**/*.test.ts'],
          exclude: ELSEWHERE,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'pg',
          include: ['packages/**/*.pg.test.ts'],
          globalSetup: ['packages/controller/src/db/testing-global-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'vm',
          include: ['packages/**/*.vm.test.ts', 'scripts/**/*.vm.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
