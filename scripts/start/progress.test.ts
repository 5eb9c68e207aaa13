import { expect, it } from 'vitest';
import { createProgress } from './progress.mjs';

function show(isTTY: boolean): string[] {
  const written: string[] = [];
  const progress = createProgress({ isTTY, write: (text) => written.push(text) });
  for (let percent = 0; percent <= 100; percent += 0.5) progress.update('Installing', percent);
  progress.end();
  return written;
}

it('is one line that is rewritten on a terminal, and gone at the end', () => {
  const written = show(true);
  expect(written).toHaveLength(102);
  expect(written.every((text) => text.startsWith('\r') && !text.includes('\n'))).toBe(true);
  expect(written.at(-1)).toBe('\r\u001b[K');
});

it('is a line per quarter anywhere else', () => {
  expect(show(false)).toEqual([0, 25, 50, 75, 100].map((percent) => `  Installing ${percent} %\n`));
});
