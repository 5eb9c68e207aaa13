import { expect, test } from 'vitest';
import { KEYS, toEditKeysyms, toKeysyms, toPasteKeysyms } from './paste-keys.ts';

test('Latin-1 is itself, everything else carries the Unicode prefix', () => {
  expect(toKeysyms('aZ ß')).toEqual([0x61, 0x5a, 0x20, 0xdf]);
  expect(toKeysyms('€Ж日')).toEqual([0x010020ac, 0x01000416, 0x010065e5]);
});

test('a character outside the basic plane is one key, not two', () => {
  expect(toKeysyms('😀')).toEqual([0x0101f600]);
});

test('control characters are dropped', () => {
  expect(toKeysyms('a\u0000\u001b\u007f\u0085b')).toEqual([0x61, 0x62]);
});

test('pasting never presses Enter or Tab, so it neither sends nor leaves a form', () => {
  expect(toPasteKeysyms('code-1\r\ncode\t2\n')).toEqual(toKeysyms('code-1code 2'));
});

test('typing at the end of the box sends only what is new', () => {
  expect(toEditKeysyms('pass', 'passw')).toEqual([0x77]);
});

test('deleting sends backspaces', () => {
  expect(toEditKeysyms('pass😀', 'pas')).toEqual([KEYS.backspace, KEYS.backspace]);
});

test('a correction by the phone replaces the word', () => {
  expect(toEditKeysyms('helo', 'hello')).toEqual([KEYS.backspace, ...toKeysyms('lo')]);
});

test('no change sends nothing', () => {
  expect(toEditKeysyms('same', 'same')).toEqual([]);
});
