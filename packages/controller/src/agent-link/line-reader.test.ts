import { duplexPair } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineTooLongError, readLines } from './line-reader.ts';

async function collect(reader: AsyncIterable<string>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of reader) lines.push(line);
  return lines;
}

async function readChunks(chunks: readonly Buffer[], maxBytes = 1_000): Promise<string[]> {
  const [reader, writer] = duplexPair();
  const read = collect(readLines(reader, maxBytes));
  for (const chunk of chunks) writer.write(chunk);
  writer.end();
  return read;
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const bounds = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}

describe('readLines', () => {
  it('yields the same lines however the bytes are cut, also within a character', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll('\n', ' '));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), async (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        expect(await readChunks(cutAt(bytes, cuts))).toEqual(lines);
      }),
    );
  });

  it('drops a last line that was not finished', async () => {
    expect(await readChunks([Buffer.from('whole\nhalf a hand-ov')])).toEqual(['whole']);
  });

  it('takes a line of exactly the limit and refuses one byte more, in one chunk or in many', async () => {
    const whole = Buffer.from(`${'x'.repeat(10)}\n`);
    const longer = Buffer.from(`${'x'.repeat(11)}\n`);
    const inBytes = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));
    for (const cut of [(bytes: Buffer) => [bytes], inBytes]) {
      expect(await readChunks(cut(whole), 10)).toEqual(['x'.repeat(10)]);
      await expect(readChunks(cut(longer), 10)).rejects.toThrow(LineTooLongError);
    }
  });

  it('refuses a line without end before it has all of it', async () => {
    const [reader, writer] = duplexPair();
    const read = collect(readLines(reader, 10));
    writer.write('x'.repeat(11));
    await expect(read).rejects.toThrow('longer than 10 bytes');
  });

  it('reads no further while a line is being acted on', async () => {
    const [reader, writer] = duplexPair();
    const count = 100;
    for (let line = 0; line < count; line += 1) writer.write(`${'x'.repeat(10_000)}\n`);
    writer.end();
    const lines = readLines(reader, 1_000_000);
    await lines.next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(writer.writableLength).toBeGreaterThan((count / 2) * 10_000);
    expect(await collect(lines)).toHaveLength(count - 1);
  });
});
