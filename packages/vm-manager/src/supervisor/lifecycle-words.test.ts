import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { parseLifecycleWord, readLifecycleWords, type LifecycleWord } from './lifecycle-words.ts';

it('knows three words and drops everything else', () => {
  expect(parseLifecycleWord('started')).toEqual({ type: 'started' });
  expect(parseLifecycleWord('exit 7')).toEqual({ type: 'exit', code: 7 });
  expect(parseLifecycleWord('failed /etc could not be laid over\u001b[2J')).toEqual({
    type: 'failed',
    words: '/etc could not be laid over?[2J',
  });
  for (const line of ['', 'exit', 'exit 256', 'exit -1', 'exit 1 2', 'failed', 'Started', 'stop'])
    expect(parseLifecycleWord(line)).toBeNull();
});

it('reads words in any pieces, and never holds a line without end', () => {
  const stream = new PassThrough();
  const words: LifecycleWord[] = [];
  readLifecycleWords(stream, (word) => words.push(word));
  for (const piece of ['sta', 'rted\r\nex', 'it 1', '\n', 'x'.repeat(1_000_000), '\nexit 2\n', 'exit 3'])
    stream.write(piece);
  expect(words).toEqual([{ type: 'started' }, { type: 'exit', code: 1 }, { type: 'exit', code: 2 }]);
});
