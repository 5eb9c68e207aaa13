import { AppError } from '@vestibule/protocol/errors';
import { expect, test } from 'vitest';
import { isUnauthenticated, toProblemWords } from './problem-words.ts';

test("a problem's own detail is shown, and its title when there is none", () => {
  expect(toProblemWords(new AppError('capacity', 'Two sign-ins run already.'))).toBe('Two sign-ins run already.');
  expect(toProblemWords(new AppError('capacity'))).toBe('No room for another sign-in now.');
});

test('the text of an unknown exception is never shown', () => {
  expect(toProblemWords(new Error('secret-in-a-stack'))).not.toContain('secret');
});

test('only a missing or refused sign-in counts as unauthenticated', () => {
  expect(isUnauthenticated(new AppError('unauthenticated'))).toBe(true);
  expect(isUnauthenticated(new AppError('invalid_ticket'))).toBe(false);
  expect(isUnauthenticated(new Error('unauthenticated'))).toBe(false);
});
