/**
 * Watches the process table: the argv of every process of this machine, those inside browser VMs included. One that lives for less than
 * 25 ms may be missed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Place } from './canary-search.ts';

const SAMPLE_MS = 25;

/** Each distinct argv with its program's name, by the text of the argv. Processes that ended meanwhile are passed over. */
function sample(seen: Map<string, string>): void {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const text = readFileSync(`/proc/${entry}/cmdline`, 'latin1');
      if (!seen.has(text)) seen.set(text, readFileSync(`/proc/${entry}/comm`, 'utf8').trim());
    } catch (error) {
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/** Begins at once; the function returned ends it and gives what was seen. */
export function watchArgv(): () => Place[] {
  const seen = new Map<string, string>();
  sample(seen);
  const timer = setInterval(() => sample(seen), SAMPLE_MS);
  return () => {
    clearInterval(timer);
    return [...seen].map(([text, program]) => ({ kind: 'argv', name: program, content: Buffer.from(text, 'latin1') }));
  };
}
