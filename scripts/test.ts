/** Runs the parts of `npm test`, all of them even when one fails, and closes with one line that counts all tests. */
import type { TestCount } from './run/test-count.ts';
import { formatSeconds } from './run/run-steps.ts';
import { sumCounts, toClosingLine } from './run/test-count.ts';
import { selectParts, TEST_PARTS, TEST_STAGES, type TestPart } from './run/test-parts.ts';

const NAMES = TEST_PARTS.map(({ name }) => name);

/** Leading words that name parts; the rest is for the runner. */
function readArguments(argv: readonly string[]): { named: Set<string>; runnerArgs: string[] } {
  const end = argv.findIndex((word) => !NAMES.includes(word));
  const named = new Set(end < 0 ? argv : argv.slice(0, end));
  return { named, runnerArgs: end < 0 ? [] : argv.slice(end) };
}

async function main(): Promise<number> {
  const { named, runnerArgs } = readArguments(process.argv.slice(2));
  if (runnerArgs.length > 0 && named.size !== 1) {
    console.error(`Name one part before ${runnerArgs.join(' ')}: ${NAMES.join(', ')}.`);
    return 2;
  }
  const selected = selectParts(named);

  const runOne = async (part: TestPart, isAlone: boolean): Promise<TestCount> => {
    const startedAt = performance.now();
    console.log(`\n== ${part.name}`);
    const count = await part.run(named.has(part.name) ? runnerArgs : [], isAlone);
    console.log(`== ${part.name}: ${toClosingLine(count)}, ${formatSeconds(performance.now() - startedAt)}`);
    return count;
  };
  const counts: TestCount[] = [];
  // A terminal interrupts the parts' programs, too: what they were given is cleared up, and nothing more begins.
  let isInterrupted = false;
  process.on('SIGINT', () => (isInterrupted = true));
  const runLane = async (lane: readonly TestPart[], isAlone: boolean): Promise<void> => {
    for (const part of lane) if (!isInterrupted) counts.push(await runOne(part, isAlone));
  };
  for (const stage of TEST_STAGES) {
    const lanes = stage.map((lane) => lane.filter(({ name }) => selected.has(name))).filter((lane) => lane.length > 0);
    await Promise.all(lanes.map((lane) => runLane(lane, lanes.length === 1)));
  }
  if (isInterrupted) return 130;
  const sum = sumCounts(counts);
  console.log(`\n${toClosingLine(sum)}`);
  return sum.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
