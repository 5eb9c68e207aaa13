/** Runs sequences on PostgreSQL and on the model in a process of its own, with the product's sources as they are or broken on purpose. */
import { bundleProgram } from './bundle-program.ts';
import type { DifferentialReport } from './differential.program.ts';
import type { Mutant } from './mutants.ts';
import { runLines } from './run-lines.ts';

export type DifferentialResult = { sequences: number; difference: string | null };

export type DifferentialOptions = {
  count: number;
  seed: number;
  mutant: Mutant | null;
  label: string;
  onProgress?: (done: number) => void;
};

/** How many sequences are under way at once, each with three connections. */
const LANES = 6;

/** Rejects when the process fails by itself. */
export async function runDifferential(options: DifferentialOptions): Promise<DifferentialResult> {
  const { count, seed, mutant, label, onProgress } = options;
  const program = await bundleProgram('differential', mutant, label);
  const result: DifferentialResult = { sequences: 0, difference: null };
  await runLines([program, String(seed), String(count), String(LANES)], (line) => {
    const report = line as DifferentialReport;
    if (report.kind === 'difference') result.difference = report.words;
    else result.sequences = report.done;
    onProgress?.(result.sequences);
  });
  return result;
}
