/** What the page says of a text before it is sent: what it was recognised as, or what is wrong with it. */
import { recognizeAnswer, type Answerable, type Offer } from '@vestibule/protocol/offer';

export type GivenWords = { tone: 'good' | 'bad'; words: string };

/** Null for a text that is still empty. */
export function toGivenWords(text: string, offer: Answerable): GivenWords | null {
  if (text.trim() === '') return null;
  const recognized = recognizeAnswer(text, offer);
  switch (recognized.kind) {
    case 'callback':
      return { tone: 'good', words: 'This is the address that the sign-in ended at.' };
    case 'code':
      return {
        tone: 'good',
        words: recognized.text.includes('#') ? 'This is a code together with its state.' : 'This is a code.',
      };
    case 'problem':
      return { tone: 'bad', words: recognized.words };
  }
}

/** What is asked for, by what the program takes. */
export function toAskedWords({ accepts }: Pick<Offer, 'accepts'>): string {
  if (!accepts.includes('code')) return 'The address of the last page';
  return accepts.includes('callback') ? 'The address of the last page, or the code' : 'The code';
}
