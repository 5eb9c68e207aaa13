import { expect, test } from 'vitest';
import { toAskedWords, toGivenWords } from './given-words.ts';

const OFFER = {
  url: 'https://idp.example/authorize?redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcallback&state=s1',
  callback: { port: 1455, path: '/callback' },
  accepts: ['callback', 'code'] as ('callback' | 'code')[],
};

test('an address, a code, and a code with its state are told apart before anything is sent', () => {
  const words = ['http://localhost:1455/callback?code=c&state=s1', 'abc', 'abc#s1'].map((text) =>
    toGivenWords(text, OFFER),
  );
  expect(words.map((one) => one?.tone)).toEqual(['good', 'good', 'good']);
  expect(words.map((one) => one?.words)).toEqual([
    'This is the address that the sign-in ended at.',
    'This is a code.',
    'This is a code together with its state.',
  ]);
});

test('an answer to another sign-in is refused in words, and nothing is said of an empty box', () => {
  expect(toGivenWords('http://localhost:1455/callback?code=c&state=s2', OFFER)).toMatchObject({ tone: 'bad' });
  expect(toGivenWords(' ', OFFER)).toBeNull();
});

test('only what the program takes is asked for', () => {
  expect(toAskedWords({ accepts: ['callback'] })).not.toContain('code');
  expect(toAskedWords({ accepts: ['code'] })).not.toContain('address');
});
