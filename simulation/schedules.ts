/** Runs schedules in processes side by side, one for each core, and sums up what they tell. */
import { availableParallelism } from 'node:os';
import { bundleProgram } from './bundle-program.ts';
import type { Mutant } from './mutants.ts';
import { runLines } from './run-lines.ts';
import type { SchedulesReport } from './schedules.program.ts';

export type Violation = Extract<SchedulesReport, { kind: 'violation' }>;
export type SchedulesResult = {
  /** Besides the random ones, which the other numbers are of. */
  aimed: number;
  schedules: number;
  steps: number;
  outcomes: Record<string, number>;
  /** Of each process that met one, the first. */
  violations: Violation[];
};

export type SchedulesOptions = {
  count: number;
  seed: number;
  mutant: Mutant | null;
  label: string;
  /** Whether a violation is made small before it is told. */
  wantsShrunk: boolean;
  processes?: number;
  onProgress?: (done: number) => void;
  /** At once; the other processes go on. */
  onViolation?: (violation: Violation) => void;
};

/** The first process runs the aimed schedules before its own. Rejects when a process fails by itself. */
export async function runSchedules(options: SchedulesOptions): Promise<SchedulesResult> {
  const { count, seed, mutant, label, processes = availableParallelism() } = options;
  const { onProgress, onViolation } = options;
  const program = await bundleProgram('schedules', mutant, label);
  const result: SchedulesResult = { aimed: 0, schedules: 0, steps: 0, outcomes: {}, violations: [] };
  const share = Math.ceil(count / processes);
  const take = (report: SchedulesReport): void => {
    if (report.kind === 'violation') {
      result.violations.push(report);
      return onViolation?.(report);
    }
    if (report.kind === 'aimed') {
      result.aimed = report.done;
      return;
    }
    result.schedules += report.done;
    result.steps += report.steps;
    for (const [status, times] of Object.entries(report.outcomes))
      result.outcomes[status] = (result.outcomes[status] ?? 0) + times;
    onProgress?.(result.schedules);
  };
  const runs = Array.from({ length: processes }, (_, index) => {
    const own = Math.min(share, count - index * share);
    const range = [String(seed + index * share), String(own)];
    const args = [program, ...range, toWord(options.wantsShrunk), toWord(index === 0)];
    return own <= 0 ? Promise.resolve() : runLines(args, (line) => take(line as SchedulesReport));
  });
  await Promise.all(runs);
  return result;
}

function toWord(flag: boolean): string {
  return flag ? 'yes' : 'no';
}
