/** Runs the parts of `npm test`, all of them even when one fails, and closes with one line that counts all tests. */
import type { TestCount } from './run/test-count.ts';
import { formatSeconds } from './run/run-steps.ts';
import { sumCounts, toClosingLine } from './run/test-count.ts';
import { NEEDS_BUILD, TEST_PARTS, type TestPart } from './run/test-parts.ts';

/** Leading words that name parts; the rest is for the runner. */
function readArguments(argv: readonly string[]): { named: Set<string>; runnerArgs: string[] } {
  const names = TEST_PARTS.flat().map((part) => part.name);
  const end = argv.findIndex((word) => !names.includes(word));
  const named = new Set(end < 0 ? argv : argv.slice(0, end));
  return { named, runnerArgs: end < 0 ? [] : argv.slice(end) };
}

async function main(): Promise<number> {
  const { named, runnerArgs } = readArguments(process.argv.slice(2));
  if (runnerArgs.length > 0 && named.size !== 1) {
    console.error(
      `Name one part before ${runnerArgs.join(' ')}: ${TEST_PARTS.flat()
        .map((part) => part.name)
        .join(', ')}.`,
    );
    return 2;
  }
  const isWanted = (name: string): boolean => named.size === 0 || named.has(name);
  const needsBuild = TEST_PARTS.flat().some((part) => NEEDS_BUILD.has(part.name) && isWanted(part.name));
  const runOne = async (part: TestPart, isAlone: boolean): Promise<TestCount> => {
    const startedAt = performance.now();
    console.log(`\n== ${part.name}`);
    const count = await part.run(named.has(part.name) ? runnerArgs : [], isAlone);
    console.log(`== ${part.name}: ${toClosingLine(count)}, ${formatSeconds(performance.now() - startedAt)}`);
    return count;
  };
  const counts: TestCount[] = [];
  for (const atOnce of TEST_PARTS) {
    const parts = atOnce.filter(({ name }) => isWanted(name) || (name === 'build' && needsBuild));
    counts.push(...(await Promise.all(parts.map((part) => runOne(part, parts.length === 1)))));
  }
  const sum = sumCounts(counts);
  console.log(`\n${toClosingLine(sum)}`);
  return sum.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
