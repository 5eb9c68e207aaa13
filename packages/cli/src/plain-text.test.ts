import { expect, test } from 'vitest';
import { toPlainLine, toPlainText } from './plain-text.ts';

test('attack: text of others moves no cursor, retitles no window, and hides nothing', () => {
  const text =
    '\u001B[2J\u001B]0;title\u0007one\u001B[31m red\u001B[0m\u001B]8;;http://evil.test\u001B\\link\u001B]8;;\u001B\\\u202Etxt\u009B1A\b\u0000';
  expect(toPlainText(text)).toBe('one redlinktxt1A');
});

test('lines and tabs stay, and one line is one line', () => {
  expect(toPlainText('a\tb\r\nc\rd')).toBe('a\tb\nc\nd');
  expect(toPlainLine(' a\n b\u001B[K ')).toBe('a b');
});
