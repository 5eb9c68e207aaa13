/** The parts of `npm test`, in their order, and how each is run and counted. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, TSX } from '../start/paths.mjs';
import { runInTerminal } from '../start/run-program.mjs';
import type { PlaywrightReport, TestCount, VitestReport } from './test-count.ts';
import { countPlaywright, countVitest, toPartCount } from './test-count.ts';

export type TestPart = { name: string; run: (runnerArgs: readonly string[]) => Promise<TestCount> };

/** Reads and removes the report; null when the runner wrote none. */
function takeReport(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  } finally {
    rmSync(file, { force: true });
  }
}

function createPart(
  name: string,
  toArgs: (reportFile: string) => readonly string[],
  count: ((report: string) => TestCount) | null,
): TestPart {
  return {
    name,
    async run(runnerArgs) {
      const file = join(ROOT, 'test-results', `${name}.json`);
      rmSync(file, { force: true });
      const code = await runInTerminal(process.execPath, [...toArgs(file), ...runnerArgs], {
        cwd: ROOT,
        env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: file },
      });
      const report = count === null ? null : takeReport(file);
      return toPartCount(code, report === null || count === null ? null : count(report));
    },
  };
}

function createVitestPart(name: string, projects: readonly string[]): TestPart {
  const runner = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const selection = projects.flatMap((project) => ['--project', project]);
  return createPart(
    name,
    (file) => [runner, 'run', ...selection, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`],
    (report) => countVitest(JSON.parse(report) as VitestReport),
  );
}

export const TEST_PARTS: readonly TestPart[] = [
  createPart('check', () => [TSX, 'scripts/check.ts'], null),
  createPart('build', () => [TSX, 'scripts/build.ts'], null),
  createVitestPart('unit', ['unit', 'pg']),
  createVitestPart('vm', ['vm']),
  createPart(
    'e2e',
    () => [join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js'), 'test', '--reporter=list,json'],
    (report) => countPlaywright(JSON.parse(report) as PlaywrightReport),
  ),
];

/** What a part cannot do without. */
export const NEEDS_BUILD: ReadonlySet<string> = new Set(['vm', 'e2e']);
