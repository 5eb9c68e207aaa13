/** The memory of a process, as Linux counts it. */
import { readFileSync } from 'node:fs';

/** RSS counts pages shared with other processes whole, PSS by its share. MB are 10^6 bytes. */
export type Memory = { rss_mb: number; pss_mb: number };

export function readMemory(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const toMb = (name: string): number => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
    return Math.round((Number(kib) * 1024) / 1e6);
  };
  return { rss_mb: toMb('Rss'), pss_mb: toMb('Pss') };
}
