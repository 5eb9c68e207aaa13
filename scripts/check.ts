/** `npm run check`: everything that can be said of the code without running it, and whether the committed dumps are current. */
import { availableParallelism } from 'node:os';
import { CHECK_STEPS } from './run/check-steps.ts';
import { formatSeconds, runSteps } from './run/run-steps.ts';
import { ROOT } from './start/paths.mjs';

const HELP = `npm run check [-- PART…]

Parts: ${CHECK_STEPS.map((step) => step.name).join(', ')}; all of them when none is named.
`;

async function main(): Promise<number> {
  const named = process.argv.slice(2);
  if (named.includes('--help')) {
    console.log(HELP);
    return 0;
  }
  const unknown = named.filter((name) => !CHECK_STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(`There is no part ${unknown.join(', ')}.\n\n${HELP}`);
    return 2;
  }
  const startedAt = performance.now();
  const steps = CHECK_STEPS.filter((step) => named.length === 0 || named.includes(step.name));
  const results = await runSteps(steps, {
    cwd: ROOT,
    atOnce: Math.min(2, availableParallelism()),
    showOutput: 'failed',
  });
  const failed = results.filter((result) => !result.passed).map((result) => result.name);
  const time = formatSeconds(performance.now() - startedAt);
  console.log(failed.length === 0 ? `check passed in ${time}` : `check failed in ${time}: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
