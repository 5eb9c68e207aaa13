/**
 * The lines of a VM's lifecycle channel. From the guest's init: `started` (the agent; from now on it can be asked to end), `exit N` (the
 * agent's code, its last word) and `failed WORDS`. To it: `stop`. The guest is not trusted: what is no such line is dropped.
 */
import type { Readable } from 'node:stream';

export const STOP_LINE = 'stop\n';

export type LifecycleWord = { type: 'started' } | { type: 'exit'; code: number } | { type: 'failed'; words: string };

const LONGEST_LINE = 200;

/** Null for anything else. */
export function parseLifecycleWord(line: string): LifecycleWord | null {
  if (line === 'started') return { type: 'started' };
  const code = /^exit (\d{1,3})$/.exec(line)?.[1];
  if (code !== undefined && Number(code) <= 255) return { type: 'exit', code: Number(code) };
  const words = /^failed (.+)$/.exec(line)?.[1];
  return words === undefined ? null : { type: 'failed', words: words.replaceAll(/[^\x20-\x7e]/g, '?') };
}

/** Memory is bounded, however long a line is. */
export function readLifecycleWords(stream: Readable, onWord: (word: LifecycleWord) => void): void {
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE + 1);
    for (const line of lines) {
      const word = line.length <= LONGEST_LINE ? parseLifecycleWord(line.trimEnd()) : null;
      if (word !== null) onWord(word);
    }
  });
}
