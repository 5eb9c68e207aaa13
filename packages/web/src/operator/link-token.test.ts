import { expect, test } from 'vitest';
import { takeLinkToken, toLinkToken, toPastedToken } from './link-token.ts';

test('the token of a sign-in link is read from the fragment', () => {
  expect(toLinkToken('#token=abc-123')).toBe('abc-123');
});

test('a fragment without a token, or with a blank one, gives none', () => {
  expect(toLinkToken('')).toBeNull();
  expect(toLinkToken('#steps')).toBeNull();
  expect(toLinkToken('#token=%20')).toBeNull();
});

test('a person may paste the whole link or the bare token', () => {
  expect(toPastedToken(' http://127.0.0.1:7080/#token=abc-123\n')).toBe('abc-123');
  expect(toPastedToken('  abc-123 ')).toBe('abc-123');
});

test('taking the token replaces the history entry by one without it', () => {
  const entries: string[] = [];
  const history = { state: null, replaceState: (_s: unknown, _t: string, url: string) => entries.push(url) };
  const location = { hash: '#token=abc', pathname: '/sessions/1', search: '?a=b' };
  expect(takeLinkToken(location as Location, history as unknown as History)).toBe('abc');
  expect(entries).toEqual(['/sessions/1?a=b']);
});
