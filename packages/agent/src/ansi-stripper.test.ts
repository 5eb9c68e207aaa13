import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAnsiStripper } from './ansi-stripper.ts';

test.each([
  ['colours', '\u001b[1;32mgreen\u001b[0m', 'green'],
  ['cursor movement and erasing', 'a\u001b[2K\u001b[1Gb', 'ab'],
  ['a link with BEL', '\u001b]8;;https://x.test\u0007text\u001b]8;;\u0007', 'text'],
  ['a link with ST', '\u001b]8;;https://x.test\u001b\\text\u001b]8;;\u001b\\', 'text'],
  ['a character set', '\u001b(Btext', 'text'],
  ['a two-character escape', '\u001b7text\u001b8', 'text'],
])('removes %s', (_what, text, clean) => {
  expect(createAnsiStripper()(text)).toBe(clean);
});

test('removes the same, however the text is cut', () => {
  const piece = fc.constantFrom('plain', '\u001b[31m', '\u001b]0;title\u0007', '\u001b]8;;u\u001b\\', '\u001b(B', '\n');
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.integer({ min: 0, max: 60 })), (pieces, cuts) => {
      const text = pieces.join('');
      const strip = createAnsiStripper();
      const bounds = [0, ...cuts.filter((at) => at < text.length).toSorted((a, b) => a - b), text.length];
      const parts = bounds.slice(1).map((end, index) => text.slice(bounds[index], end));
      expect(parts.map(strip).join('')).toBe(createAnsiStripper()(text));
    }),
  );
});
