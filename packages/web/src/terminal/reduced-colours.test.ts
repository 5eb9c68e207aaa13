import { expect, test } from 'vitest';
import { createColourReducer } from './reduced-colours.ts';

const reduce = (...chunks: string[]): string => chunks.map(createColourReducer()).join('');

test('a colour of 24 bits becomes the nearest numbered one, the rest of the sequence stays', () => {
  expect(reduce('\u001B[1;38;2;255;0;0mred\u001B[0m')).toBe('\u001B[1;38;5;196mred\u001B[0m');
  expect(reduce('\u001B[48:2::0:95:135;4m')).toBe('\u001B[48;5;24;4m');
  expect(reduce('\u001B[38;2;128;128;128m')).toBe('\u001B[38;5;244m');
});

test('numbered colours, text and other sequences are left as they are', () => {
  const text = 'a 38;2;1;2;3 b\u001B[38;5;12m\u001B[2J\u001B[31m';
  expect(reduce(text)).toBe(text);
});

test('a sequence that is cut between two chunks is put together again', () => {
  expect(reduce('x\u001B', '[38;2;0;0', ';255my')).toBe('x\u001B[38;5;21my');
});
