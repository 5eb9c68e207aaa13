/** Runs steps, some at a time, each a program with its output kept and shown whole, with its time, when it ends. */
import { runProgram } from '../start/run-program.mjs';

export type Step = { name: string; program: string; args: readonly string[]; env?: Readonly<Record<string, string>> };
export type StepResult = { name: string; passed: boolean };

export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/**
 * @param atOnce how many run at the same time; they begin in the order given
 * @param showOutput `failed`: only of steps that fail
 */
export async function runSteps(
  steps: readonly Step[],
  { cwd, atOnce, showOutput }: { cwd: string; atOnce: number; showOutput: 'always' | 'failed' },
): Promise<StepResult[]> {
  const waiting = [...steps];
  const results: StepResult[] = [];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const startedAt = performance.now();
      const lines: string[] = [];
      const { code, tail } = await runProgram(step.program, step.args, {
        cwd,
        env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0', ...step.env },
        onLine: (line) => lines.push(line),
        onErrorLine: (line) => lines.push(line),
      });
      const passed = code === 0;
      const time = formatSeconds(performance.now() - startedAt);
      console.log(`${passed ? 'ok    ' : 'FAILED'}  ${step.name.padEnd(10)} ${time.padStart(7)}`);
      if (lines.length === 0) lines.push(...tail);
      if (!passed || showOutput === 'always') console.log(lines.map((line) => `        ${line}`).join('\n'));
      results.push({ name: step.name, passed });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}
