/**
 * What a person gave back, judged before it is recorded: which kind it is, and whether it can be meant for this sign-in at all. What cannot
 * be is refused in words, and nothing of it is kept.
 */
import type { AnswerBody, SessionOffer } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import { recognizeAnswer } from '@vestibule/protocol/offer';
import type { TokenKind } from '@vestibule/protocol/provider-definition';
import type { GivenAnswer } from './answers.ts';

function refuse(words: string): never {
  throw new AppError('answer_refused', words);
}

/** A callback or a code, by its form; a state that is not the offer's is refused. */
function recognize({ text, kind }: AnswerBody, found: SessionOffer): GivenAnswer {
  const recognized = recognizeAnswer(text, found.offer);
  if (recognized.kind === 'problem') return refuse(recognized.words);
  if (kind !== undefined && kind !== recognized.kind)
    return refuse(kind === 'code' ? 'That is an address, not a code.' : 'That is a code, not an address.');
  return { kind: recognized.kind, tokenKind: null, text: recognized.text };
}

function takeToken({ text, tokenKind = '' }: AnswerBody, kinds: readonly TokenKind[] | null): GivenAnswer {
  const known = kinds?.find(({ id }) => id === tokenKind);
  if (tokenKind === '' || (kinds !== null && known === undefined))
    return refuse('The program does not take that kind of key or token. Choose another kind.');
  const token = text.trim();
  if (/[\r\n]/.test(token)) return refuse('A key or token is one line. Copy it once more.');
  if (known?.pattern !== undefined && !new RegExp(known.pattern).test(token))
    return refuse(`That does not look like what was asked for: ${known.name}. ${known.hint}`);
  return { kind: 'token', tokenKind, text: token };
}

export type AnswerContext = {
  mode: SessionOffer['offer']['mode'];
  offer: SessionOffer | null;
  /** Null: this controller does not know the provider, and the agent judges alone. */
  tokenKinds: readonly TokenKind[] | null;
};

/** Throws `answer_refused`. */
export function toGivenAnswer(body: AnswerBody, { mode, offer, tokenKinds }: AnswerContext): GivenAnswer {
  const takesBack =
    offer !== null && (offer.offer.accepts.includes('callback') || offer.offer.accepts.includes('code'));
  switch (body.kind) {
    case undefined:
      return offer !== null && takesBack ? recognize(body, offer) : { kind: 'line', tokenKind: null, text: body.text };
    case 'callback':
    case 'code':
      if (offer === null || !takesBack) return refuse('The sign-in does not take an address or a code now.');
      return recognize(body, offer);
    case 'token':
      if (mode !== 'token')
        return refuse('This sign-in does not take a key or token. Change the way to sign in first.');
      return takeToken(body, tokenKinds);
    case 'line':
    case 'keys':
      return { kind: body.kind, tokenKind: null, text: body.text };
  }
}
