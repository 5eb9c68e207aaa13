import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineAssembler } from './line-assembler.ts';
import { cut } from './testing-chunks.ts';

test('gives the same lines however the stream is cut, also through a character', () => {
  const lines = fc.array(fc.string({ unit: 'grapheme', maxLength: 40 }).map((line) => line.replaceAll('\n', '')));
  fc.assert(
    fc.property(lines, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (expected, sizes) => {
      const assembler = createLineAssembler({ maxBytes: 10_000 });
      const bytes = Buffer.from(expected.map((line) => `${line}\n`).join(''));
      expect(cut(bytes, sizes).flatMap((chunk) => assembler.push(chunk))).toEqual(expected);
    }),
  );
});

test('keeps back a line whose end has not been seen', () => {
  const assembler = createLineAssembler({ maxBytes: 100 });
  expect(assembler.push(Buffer.from('one\ntw'))).toEqual(['one']);
  expect(assembler.push(Buffer.from('o\n'))).toEqual(['two']);
});

test('skips a line that is too long, says so once, and goes on with the next', () => {
  let tooLong = 0;
  const assembler = createLineAssembler({ maxBytes: 5, onTooLong: () => (tooLong += 1) });
  const chunks = ['sho', 'rt\n123', '456', '789\nnext\n'].map((text) => Buffer.from(text));
  expect(chunks.flatMap((chunk) => assembler.push(chunk))).toEqual(['short', 'next']);
  expect(tooLong).toBe(1);
});
