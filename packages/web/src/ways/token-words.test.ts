import { expect, test } from 'vitest';
import { findTokenProblem } from './token-words.ts';

const KEY = { id: 'key', name: 'API key', hint: '', pattern: '^sk-[a-z0-9]{4,}$' };

test('a key that looks otherwise is refused in words that do not repeat it', () => {
  const words = findTokenProblem('not-a-key', KEY);
  expect(words).toContain('API key');
  expect(words).not.toContain('not-a-key');
  expect(findTokenProblem('sk-ab cd', KEY)).toContain('blanks');
});

test('blanks around a key do not matter, and of an unknown kind anything is taken', () => {
  expect(findTokenProblem('  sk-abcd1\n', KEY)).toBeNull();
  expect(findTokenProblem('anything', { ...KEY, pattern: null })).toBeNull();
});
