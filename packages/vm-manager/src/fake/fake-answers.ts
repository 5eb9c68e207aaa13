/** How the CLI of a `fake` VM takes what the person gives: which answers it refuses, in which words. */
import type { ControllerMessage, LoginPlan } from '@vestibule/protocol/agent-messages';
import { recognizeAnswer, type Offer } from '@vestibule/protocol/offer';

export type FakeAnswer = Extract<ControllerMessage, { type: 'answer' }>;

/** Words for the person, or null when the answer is taken. `keys` and `line` are for the terminal and always taken. */
export function findRefusal(answer: FakeAnswer, offer: Offer | null, plan: LoginPlan): string | null {
  if (answer.kind === 'keys' || answer.kind === 'line') return null;
  if (offer === null) return 'The program does not wait for an answer now.';
  if (answer.kind === 'token') return findTokenRefusal(answer, plan);
  const recognized = recognizeAnswer(answer.text, offer);
  if (recognized.kind === 'problem') return recognized.words;
  return recognized.kind === answer.kind ? null : 'That is not what this program wants.';
}

function findTokenRefusal({ tokenKind, text }: FakeAnswer, plan: LoginPlan): string | null {
  const kind = plan.ways.token?.kinds.find(({ id }) => id === tokenKind);
  if (kind === undefined) return 'This program does not take such a token.';
  if (kind.pattern !== undefined && !new RegExp(kind.pattern).test(text.trim()))
    return `That does not look like what is asked for: ${kind.name}.`;
  return null;
}
