import { expect, test } from 'vitest';
import { toParagraphs } from './notice-paragraphs.ts';

test('lines that a file broke are put together, paragraphs and lists stay apart', () => {
  expect(toParagraphs('One line\nbroken here.\n\nAnother:\n- first\n  going on\n- second\n')).toEqual([
    'One line broken here.',
    'Another:\n- first going on\n- second',
  ]);
});
