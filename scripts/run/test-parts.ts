/** The parts of `npm test`, in their order, and how each is run and counted. */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, TSX } from '../start/paths.mjs';
import { runInTerminal, runProgram } from '../start/run-program.mjs';
import type { PlaywrightReport, TestCount, VitestReport } from './test-count.ts';
import { countPlaywright, countVitest, toPartCount } from './test-count.ts';
import { selectVmFiles, takeRuntimes } from './test-runtimes.mjs';

export type TestPart = {
  name: string;
  /** `isAlone`: nothing else runs meanwhile, so the terminal is its own; else each of its lines says whose it is. */
  run: (runnerArgs: readonly string[], isAlone: boolean) => Promise<TestCount>;
};

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
  toArgs: (reportFile: string, runnerArgs: readonly string[]) => readonly string[],
  count: ((report: string) => TestCount) | null,
): TestPart {
  return {
    name,
    async run(runnerArgs, isAlone) {
      const file = join(ROOT, 'test-results', `${name}.json`);
      rmSync(file, { force: true });
      const args = [...toArgs(file, runnerArgs), ...runnerArgs];
      const options = { cwd: ROOT, env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: file } };
      const code = isAlone
        ? await runInTerminal(process.execPath, args, options)
        : await runBeside(name, args, options);
      const report = count === null ? null : takeReport(file);
      return toPartCount(code, report === null || count === null ? null : count(report));
    },
  };
}

/** What waits for people's browsers goes first: the others take what it leaves of the processor. */
const MODEST = new Set(['unit']);

async function runBeside(
  name: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<number> {
  const onLine = (line: string): void => console.log(`[${name}] ${line}`);
  const argv = [...(MODEST.has(name) ? ['nice', '-n', '10'] : []), process.execPath, ...args];
  const [program = '', ...rest] = argv;
  const { code } = await runProgram(program, rest, { ...options, onLine, onErrorLine: onLine });
  return code;
}

function createVitestPart(
  name: string,
  projects: readonly string[],
  listFiles: (runnerArgs: readonly string[]) => readonly string[] = () => [],
): TestPart {
  const runner = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const selection = projects.flatMap((project) => ['--project', project]);
  const reporters = ['--reporter=default', '--reporter=json'];
  return createPart(
    name,
    (file, runnerArgs) => [
      ...[runner, 'run', ...selection, ...reporters, `--outputFile.json=${file}`],
      ...listFiles(runnerArgs),
    ],
    (report) => countVitest(JSON.parse(report) as VitestReport),
  );
}

/** From the root, sorted; none when the person names files. */
function listVmFiles(runnerArgs: readonly string[]): string[] {
  if (runnerArgs.some((word) => word.endsWith('.vm.test.ts'))) return [];
  const packages = join(ROOT, 'packages');
  const sources = readdirSync(packages).flatMap((name) =>
    readdirSync(join(packages, name, 'src'), { recursive: true }).map((file) =>
      join('packages', name, 'src', String(file)),
    ),
  );
  return selectVmFiles(
    sources.filter((file) => file.endsWith('.vm.test.ts')).toSorted(),
    takeRuntimes([], process.env).runtimes,
  );
}

const END_TO_END = createPart(
  'e2e',
  () => [join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js'), 'test', '--reporter=list,json'],
  (report) => countPlaywright(JSON.parse(report) as PlaywrightReport),
);

/**
 * In their order; those in one list run at the same time. The `vm` part runs by itself: it makes networks, and a browser of this machine
 * breaks off what it is loading when one comes or goes.
 */
export const TEST_PARTS: readonly (readonly TestPart[])[] = [
  [createPart('check', () => [TSX, 'scripts/check.ts'], null)],
  [createPart('build', () => [TSX, 'scripts/build.ts'], null)],
  [createVitestPart('vm', ['vm'], listVmFiles)],
  [createVitestPart('unit', ['unit', 'pg']), END_TO_END],
];

/** What a part cannot do without. */
export const NEEDS_BUILD: ReadonlySet<string> = new Set(['vm', 'e2e']);
