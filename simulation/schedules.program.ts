/** Runs the aimed schedules, if asked, then those of a range of seeds, ends at the first violation, and tells how it went in lines of JSON. */
import { AIMED_SCENARIOS } from './aimed-scenarios.ts';
import { drawScenario } from './random-scenario.ts';
import type { Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import { runScenario } from './world/run-scenario.ts';

export type SchedulesReport =
  | { kind: 'aimed'; done: number }
  | { kind: 'progress'; done: number; steps: number; outcomes: Record<string, number> }
  | {
      kind: 'violation';
      /** Of the schedule. */
      name: string;
      violations: string[];
      shrunk: { scenario: string; violations: string[]; trace: string[] } | null;
    };

const TELL_EVERY = 500;
const [from = '1', count = '1', wantsShrunk = 'yes', wantsAimed = 'no'] = process.argv.slice(2);

function tell(report: SchedulesReport): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

async function tellViolation(name: string, scenario: Scenario, violations: string[]): Promise<void> {
  let shrunk = null;
  if (wantsShrunk === 'yes') {
    const smallest = await shrink(scenario);
    const { violations: same, trace } = await runScenario(smallest, { isTraced: true });
    shrunk = { scenario: JSON.stringify(smallest, null, 2), violations: same, trace };
  }
  tell({ kind: 'violation', name, violations, shrunk });
}

/** Whether every invariant held. */
async function runAimed(): Promise<boolean> {
  for (const [index, scenario] of AIMED_SCENARIOS.entries()) {
    const { violations } = await runScenario(scenario);
    if (violations.length > 0) {
      await tellViolation(`aimed schedule ${index + 1}`, scenario, violations);
      return false;
    }
  }
  tell({ kind: 'aimed', done: AIMED_SCENARIOS.length });
  return true;
}

async function runRandom(): Promise<void> {
  const last = Number(from) + Number(count) - 1;
  let report = { kind: 'progress' as const, done: 0, steps: 0, outcomes: {} as Record<string, number> };
  for (let seed = Number(from); seed <= last; seed += 1) {
    const scenario = drawScenario(seed);
    const { violations, steps, outcomes } = await runScenario(scenario);
    if (violations.length > 0) {
      tell(report);
      return tellViolation(`schedule ${seed}`, scenario, violations);
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

async function main(): Promise<void> {
  // Errors are thrown by the thousand and their stacks never read.
  Error.stackTraceLimit = 0;
  if (wantsAimed === 'no' || (await runAimed())) await runRandom();
}

await main();
