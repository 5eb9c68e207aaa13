/** The parts of `npm test`, in their order, and how each is run and counted. */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, TSX } from '../start/paths.mjs';
import { runInTerminal, runProgram } from '../start/run-program.mjs';
import { createPartNetwork, type PartNetwork } from './part-network.ts';
import type { PlaywrightReport, TestCount, VitestReport } from './test-count.ts';
import { countPlaywright, countVitest, toPartCount } from './test-count.ts';
import { needsImage, selectVmFiles, takeRuntimes } from './test-runtimes.mjs';

export type TestPart = {
  name: string;
  /** `isAlone`: nothing else runs meanwhile, so the terminal is its own; else each of its lines says whose it is. */
  run: (runnerArgs: readonly string[], isAlone: boolean) => Promise<TestCount>;
};

type PartOptions = {
  name: string;
  toArgs: (reportFile: string, runnerArgs: readonly string[]) => readonly string[];
  /** Absent: the exit code is all there is to count. */
  count?: (report: string) => TestCount;
  /** Beside other parts: from 0, first at the processor, to 19. */
  niceness?: number;
  /** It makes browser VMs or has browsers on this machine: beside other parts it needs a network of its own, by this number. */
  network?: number;
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

function createPart({ name, toArgs, count, niceness = 0, network }: PartOptions): TestPart {
  return {
    name,
    async run(runnerArgs, isAlone) {
      const file = join(ROOT, 'test-results', `${name}.json`);
      rmSync(file, { force: true });
      const argv = [process.execPath, ...toArgs(file, runnerArgs), ...runnerArgs];
      const env = { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: file };
      const polite = niceness > 0 ? ['nice', '-n', String(niceness), ...argv] : argv;
      const code = isAlone ? await runAlone(argv, env) : await runBeside(name, polite, env, network);
      const report = count === undefined ? null : takeReport(file);
      return toPartCount(code, report === null || count === undefined ? null : count(report));
    },
  };
}

function runAlone([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return runInTerminal(program, args, { cwd: ROOT, env });
}

async function runBeside(
  name: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  number: number | undefined,
): Promise<number> {
  const onLine = (line: string): void => console.log(`[${name}] ${line}`);
  // Only root gives VMs networks of their own, which disturb others; where this fails, that would, too.
  const onNoNetwork = (error: unknown): PartNetwork | null => {
    onLine(`goes on in this machine's own network: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  };
  const isRoot = process.geteuid?.() === 0;
  const network = number !== undefined && isRoot ? await createPartNetwork(number).catch(onNoNetwork) : null;
  try {
    const [program = '', ...args] = [...(network?.enter ?? []), ...argv];
    return (await runProgram(program, args, { cwd: ROOT, env, onLine, onErrorLine: onLine })).code;
  } finally {
    await network?.close();
  }
}

function createVitestPart({
  projects,
  listFiles = () => [],
  ...options
}: Pick<PartOptions, 'name' | 'niceness' | 'network'> & {
  projects: readonly string[];
  listFiles?: (runnerArgs: readonly string[]) => readonly string[];
}): TestPart {
  const runner = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const selection = projects.flatMap((project) => ['--project', project]);
  const reporters = ['--reporter=default', '--reporter=json'];
  return createPart({
    ...options,
    toArgs: (file, runnerArgs) => [
      ...[runner, 'run', ...selection, ...reporters, `--outputFile.json=${file}`],
      ...listFiles(runnerArgs),
    ],
    count: (report) => countVitest(JSON.parse(report) as VitestReport),
  });
}

/** From the root, sorted; none when the person names files. */
function listVmFiles(runnerArgs: readonly string[]): string[] {
  if (runnerArgs.some((word) => word.endsWith('.vm.test.ts'))) return [];
  const packages = readdirSync(join(ROOT, 'packages')).map((name) => join('packages', name, 'src'));
  const sources = [...packages, 'scripts'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true }).map((file) => join(folder, String(file))),
  );
  const files = sources.filter((file) => file.endsWith('.vm.test.ts')).toSorted();
  return selectVmFiles(files, takeRuntimes([], process.env).runtimes);
}

const CHECK = createPart({ name: 'check', toArgs: () => [TSX, 'scripts/check.ts'], niceness: 5 });
const BUILD = createPart({ name: 'build', toArgs: () => [TSX, 'scripts/build.ts'] });
const IMAGE = createPart({ name: 'image', toArgs: () => ['scripts/test-image.mjs'], niceness: 5 });
const UNIT = createVitestPart({ name: 'unit', projects: ['unit', 'pg'], niceness: 5 });
const VM = createVitestPart({ name: 'vm', projects: ['vm'], listFiles: listVmFiles, niceness: 5, network: 0 });
const END_TO_END = createPart({
  name: 'e2e',
  toArgs: () => [join(ROOT, 'node_modules', '@playwright', 'test', 'cli.js'), 'test', '--reporter=list,json'],
  count: (report) => countPlaywright(JSON.parse(report) as PlaywrightReport),
  network: 1,
});

/** The demo by hand and the sample of the death matrix; it makes a network of its own. */
const END_TO_END_ON_CONTAINERS = createPart({
  name: 'e2e:container',
  toArgs: () => [TSX, 'e2e/vm/main.ts', '--runtime', 'container'],
  count: (report) => countPlaywright(JSON.parse(report) as PlaywrightReport),
});

/**
 * Stages one after another; in a stage, lanes beside each other; in a lane, parts one after another. What waits for people's browsers goes
 * first at the processor.
 */
export const TEST_STAGES: readonly (readonly (readonly TestPart[])[])[] = [
  [[BUILD]],
  [[END_TO_END], [CHECK, UNIT], [IMAGE, VM, END_TO_END_ON_CONTAINERS]],
];

export const TEST_PARTS: readonly TestPart[] = TEST_STAGES.flat(2);

/** What a part cannot do without. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  image: ['build'],
  vm: ['build', 'image'],
  e2e: ['build'],
  'e2e:container': ['build', 'image'],
};

/** These parts, all when none is named, and those that they need; none that is about no runtime under test. */
export function selectParts(named: ReadonlySet<string>): ReadonlySet<string> {
  const all = TEST_PARTS.map(({ name }) => name);
  const wanted = named.size === 0 ? all : [...named].flatMap((name) => [...(NEEDS[name] ?? []), name]);
  const { runtimes } = takeRuntimes([], process.env);
  const isIdle: Readonly<Record<string, boolean>> = {
    image: !needsImage(runtimes),
    'e2e:container': !runtimes.includes('container'),
  };
  return new Set(wanted.filter((name) => isIdle[name] !== true));
}
