import type { SessionOffer } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import { describe, expect, it } from 'vitest';
import { type AnswerContext, toGivenAnswer } from './person-answer.ts';

const STATE = 'state-of-this-sign-in';
const URL = `https://sign-in.example.test/authorize?state=${STATE}&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb`;
const OFFER: SessionOffer = {
  way: 1,
  offer: {
    ...{ mode: 'own_browser', url: URL, codeUrl: null, callback: { port: 1455, path: '/cb' } },
    ...{ accepts: ['callback', 'code'], deviceCode: null, validForMs: null },
  },
};
const KIND = {
  id: 'api_key',
  name: 'API key',
  hint: 'Made at example.test.',
  pattern: '^key-',
  input: 'stdin',
  files: [],
} as const;

function context(change: Partial<AnswerContext> = {}): AnswerContext {
  return { mode: 'own_browser', offer: OFFER, tokenKinds: [{ ...KIND, files: [] }], ...change };
}
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'answer_refused') return error.detail ?? '';
    throw error;
  }
  throw new Error('it was not refused');
}

describe('what a person gives back without saying what it is', () => {
  it.each([
    [
      `http://localhost:1455/cb?code=abc&state=${STATE}`,
      'callback',
      `http://127.0.0.1:1455/cb?code=abc&state=${STATE}`,
    ],
    [' abc-123 ', 'code', 'abc-123'],
    [`abc#${STATE}`, 'code', `abc#${STATE}`],
  ])('is told by its form: %s', (text, kind, given) => {
    expect(toGivenAnswer({ text }, context())).toEqual({ kind, tokenKind: null, text: given });
  });

  it('is a line for the program when nothing is to be given back', () => {
    expect(toGivenAnswer({ text: 'yes' }, context({ offer: null }))).toEqual({
      kind: 'line',
      tokenKind: null,
      text: 'yes',
    });
  });
});

describe('an answer of another sign-in (attack: login CSRF)', () => {
  it.each([
    ['a callback', { text: 'http://localhost:1455/cb?code=stolen&state=other' }],
    ['a code', { text: 'stolen#other' }],
    ['a callback that says it is one', { text: 'http://localhost:1455/cb?code=stolen&state=other', kind: 'callback' }],
    ['a code that says it is one', { text: 'stolen#other', kind: 'code' }],
  ] as const)('is refused in words: %s', (_what, body) => {
    expect(refusal(() => toGivenAnswer(body, context()))).toMatch(/another sign-in/);
  });
});

describe('an answer that says what it is', () => {
  it('and is something else is refused', () => {
    expect(refusal(() => toGivenAnswer({ text: 'abc', kind: 'callback' }, context()))).toMatch(/not an address/);
    expect(
      refusal(() => toGivenAnswer({ text: `http://localhost:1455/cb?code=a&state=${STATE}`, kind: 'code' }, context())),
    ).toMatch(/not a code/);
  });

  it('is refused when nothing is to be given back', () => {
    expect(refusal(() => toGivenAnswer({ text: 'abc', kind: 'code' }, context({ offer: null })))).toMatch(
      /does not take/,
    );
  });

  it.each(['line', 'keys'] as const)('as %s is given as it is', (kind) => {
    const text = 'http://localhost:1455/cb?code=x\r';
    expect(toGivenAnswer({ text, kind }, context())).toEqual({ kind, tokenKind: null, text });
  });
});

describe('a token', () => {
  const token = { kind: 'token', tokenKind: 'api_key' } as const;
  const inToken = context({ mode: 'token', offer: null });

  it('that looks like one of its kind is given without the blanks around it', () => {
    expect(toGivenAnswer({ ...token, text: ' key-1\n' }, inToken)).toEqual({ ...token, text: 'key-1' });
  });

  it.each([
    ['does not look like one', { ...token, text: 'password' }, inToken, /does not look like .* API key\. Made at/],
    ['has two lines', { ...token, text: 'key-1\nkey-2' }, inToken, /one line/],
    ['is of an unknown kind', { kind: 'token', tokenKind: 'other', text: 'key-1' }, inToken, /that kind/],
    ['is of no kind', { kind: 'token', text: 'key-1' }, inToken, /that kind/],
    ['is given to another way', { ...token, text: 'key-1' }, context(), /Change the way/],
  ] as const)('that %s is refused, and the words do not repeat it', (_what, body, where, words) => {
    const said = refusal(() => toGivenAnswer(body, where));
    expect(said).toMatch(words);
    expect(said).not.toContain(body.text);
  });

  it('of a provider that this controller does not know is left to the agent to judge', () => {
    expect(toGivenAnswer({ ...token, text: 'anything' }, { ...inToken, tokenKinds: null })).toMatchObject({
      kind: 'token',
    });
  });
});
