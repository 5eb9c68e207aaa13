/** Runs the schedules of a range of seeds, ends at the first violation, and tells how it went in lines of JSON. */
import { drawScenario } from './random-scenario.ts';
import { shrink } from './shrink.ts';
import { runScenario } from './world/run-scenario.ts';

export type SchedulesReport =
  | { kind: 'progress'; done: number; steps: number; outcomes: Record<string, number> }
  | {
      kind: 'violation';
      seed: number;
      violations: string[];
      shrunk: { scenario: string; violations: string[]; trace: string[] } | null;
    };

const TELL_EVERY = 500;
const [from = '1', count = '1', wantsShrunk = 'yes'] = process.argv.slice(2);

function tell(report: SchedulesReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

async function main(): Promise<void> {
  // Errors are thrown by the thousand and their stacks never read.
  Error.stackTraceLimit = 0;
  const last = Number(from) + Number(count) - 1;
  let report = { kind: 'progress' as const, done: 0, steps: 0, outcomes: {} as Record<string, number> };
  for (let seed = Number(from); seed <= last; seed += 1) {
    const scenario = drawScenario(seed);
    const { violations, steps, outcomes } = await runScenario(scenario);
    if (violations.length > 0) {
      tell(report);
      let shrunk = null;
      if (wantsShrunk === 'yes') {
        const smallest = await shrink(scenario);
        const { violations: same, trace } = await runScenario(smallest, { isTraced: true });
        shrunk = { scenario: JSON.stringify(smallest, null, 2), violations: same, trace };
      }
      return tell({ kind: 'violation', seed, violations, shrunk });
    }
    report.done += 1;
    report.steps += steps;
    for (const [status, times] of Object.entries(outcomes))
      report.outcomes[status] = (report.outcomes[status] ?? 0) + times;
    if (report.done === TELL_EVERY || seed === last) {
      tell(report);
      report = { kind: 'progress', done: 0, steps: 0, outcomes: {} };
    }
  }
}

await main();
