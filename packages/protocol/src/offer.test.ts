import { describe, expect, it } from 'vitest';
import { findCallback, isOnItsOwnMachine, recognizeAnswer, type Offer } from './offer.ts';

const LINK =
  'https://auth.example.test/oauth/authorize?response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&state=right-state';

const both: Pick<Offer, 'url' | 'callback' | 'accepts'> = {
  url: LINK,
  callback: { port: 1455, path: '/auth/callback' },
  accepts: ['callback', 'code'],
};
const callbackOnly = { ...both, accepts: ['callback' as const] };
const codeOnly = { ...both, callback: null, accepts: ['code' as const] };
const words = (given: string, offer = both): string => {
  const answer = recognizeAnswer(given, offer);
  return answer.kind === 'problem' ? answer.words : `no problem: ${answer.kind}`;
};

describe('findCallback', () => {
  it('finds the server of the CLI in the link, with a fixed or a random port', () => {
    expect(findCallback(LINK)).toEqual({ port: 1455, path: '/auth/callback' });
    expect(findCallback('https://a.test/?redirect_uri=http://127.0.0.1:40123/cb')).toEqual({
      port: 40123,
      path: '/cb',
    });
    expect(findCallback('https://a.test/?redirect_uri=http://[::1]:7/cb')).toEqual({ port: 7, path: '/cb' });
  });

  it.each([
    ['a page of the provider', 'https://a.test/?redirect_uri=https://provider.test/code'],
    ['another machine', 'https://a.test/?redirect_uri=http://10.0.0.1:1455/cb'],
    ['a name that begins like this machine', 'https://a.test/?redirect_uri=http://localhost.evil.test:1455/cb'],
    ['a link without one', 'https://a.test/login'],
    ['what is no link', 'not a link'],
  ])('finds none when it leads to %s', (_, link) => expect(findCallback(link)).toBeNull());
});

it('tells a sign-in page that only the program’s own machine can open', () => {
  expect(isOnItsOwnMachine('http://127.0.0.1:53682/auth?state=x')).toBe(true);
  expect([LINK, 'http://localhost.evil.test/auth', ''].map(isOnItsOwnMachine)).toEqual([false, false, false]);
});

describe('recognizeAnswer', () => {
  it.each([
    ['the address', 'http://localhost:1455/auth/callback?code=abc&state=right-state'],
    ['the address of the other name', 'http://127.0.0.1:1455/auth/callback?code=abc&state=right-state'],
    ['the address without its scheme', 'localhost:1455/auth/callback?code=abc&state=right-state'],
    ['the address in quotes and blanks', '  "http://localhost:1455/auth/callback?code=abc&state=right-state"\n'],
  ])('takes %s for the callback', (_, given) =>
    expect(recognizeAnswer(given, both)).toEqual({
      kind: 'callback',
      text: 'http://127.0.0.1:1455/auth/callback?code=abc&state=right-state',
    }),
  );

  it('takes a denial for the callback too, for the CLI must hear of it', () => {
    expect(
      recognizeAnswer('http://localhost:1455/auth/callback?error=access_denied&state=right-state', both).kind,
    ).toBe('callback');
  });

  it('takes a bare code, and a code with its state', () => {
    expect(recognizeAnswer('abc123', both)).toEqual({ kind: 'code', text: 'abc123' });
    expect(recognizeAnswer('abc123#right-state', both)).toEqual({ kind: 'code', text: 'abc123#right-state' });
  });

  it('takes a code with the state of either link, and with any where a link carries none', () => {
    const short = { ...both, codeUrl: 'https://auth.example.test/oauth/authorize?z-challenge' };
    const long = { ...both, codeUrl: 'https://auth.example.test/oauth/authorize?state=other-state' };
    expect(recognizeAnswer('abc#made-up-by-the-page', short)).toEqual({
      kind: 'code',
      text: 'abc#made-up-by-the-page',
    });
    expect(recognizeAnswer('abc#other-state', long).kind).toBe('code');
    expect(recognizeAnswer('abc#right-state', long).kind).toBe('code');
    expect(recognizeAnswer('abc#of-neither', long).kind).toBe('problem');
  });

  it("takes the code out of a provider's address when only a code is wanted", () => {
    expect(recognizeAnswer('https://provider.test/done?code=abc', codeOnly)).toEqual({ kind: 'code', text: 'abc' });
  });

  it('takes the address of a page that shows a code for that code, with its state', () => {
    const page = 'https://provider.test/oauth/code/callback';
    expect(recognizeAnswer(`${page}?code=abc123&state=right-state`, both)).toEqual({
      kind: 'code',
      text: 'abc123#right-state',
    });
    expect(words(`${page}?code=abc123&state=other`)).toContain('another sign-in');
  });

  it('does not take the sign-in link for a code, though it may have a parameter of that name', () => {
    const link = `${LINK}&code=true`;
    expect(words(link, { ...both, url: link })).toContain('not the address the sign-in ends at');
    expect(words(link, { ...codeOnly, url: link })).toContain('does not take an address');
  });

  it.each([
    ['nothing', '  ', both, 'Nothing was given'],
    [
      'an answer to another sign-in',
      'http://localhost:1455/auth/callback?code=abc&state=other',
      both,
      'another sign-in',
    ],
    ['a code of another sign-in', 'abc#other', both, 'another sign-in'],
    ['an address without a state', 'http://localhost:1455/auth/callback?code=abc', both, 'another sign-in'],
    ['the sign-in page itself', LINK, both, 'not the address the sign-in ends at'],
    ['another path of the CLI', 'http://localhost:1455/cancel?code=abc&state=right-state', both, 'not the address'],
    ['half an address', 'http://localhost:1455/auth/callback', both, 'holds no answer'],
    ['a sentence', 'this is my code', both, 'blanks'],
    ['a code where an address is wanted', 'abc123', callbackOnly, 'wants the whole address'],
    [
      'an address where a code is wanted',
      'http://localhost:1455/auth/callback?x=1',
      codeOnly,
      'does not take an address',
    ],
  ])('refuses %s in words', (_, given, offer, said) => expect(words(given, offer)).toContain(said));

  it('never sends an answer to another machine, whatever the address says', () => {
    const given = 'http://evil.test:1455/auth/callback?code=abc&state=right-state';
    expect(words(given, callbackOnly)).toContain('not the address');
    expect(recognizeAnswer(given, both)).toEqual({ kind: 'code', text: 'abc#right-state' });
    expect(recognizeAnswer('http://localhost:9999/auth/callback?code=abc&state=right-state', both)).toEqual({
      kind: 'callback',
      text: 'http://127.0.0.1:1455/auth/callback?code=abc&state=right-state',
    });
  });
});
