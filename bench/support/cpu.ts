/** The processor time of a process, as Linux counts it: says what work costs on a machine that is busy with other things too. */
import { readFileSync } from 'node:fs';
import { round } from './measures.ts';

/** Of Linux, in whose ABI it is fixed. */
const TICKS_A_SECOND = 100;

function readCpuSeconds(pid: number): number {
  // proc(5), after the name in parentheses: 11 user time, 12 system time.
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** Seconds that `work` cost the process. */
export async function withCpuSeconds<T extends object>(
  pid: number,
  work: () => Promise<T>,
): Promise<T & { controller_cpu_s: number }> {
  const before = readCpuSeconds(pid);
  const result = await work();
  return { ...result, controller_cpu_s: round(readCpuSeconds(pid) - before, 1) };
}
