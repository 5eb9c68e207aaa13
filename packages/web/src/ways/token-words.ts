/** Whether a text looks like the key or token that is asked for. */
import type { Provider } from '@vestibule/protocol/api';

export type TokenKindShown = Provider['tokenKinds'][number];

/** Words for the person; null when it looks right, or when nothing is known of how it looks. Empty is no problem yet. */
export function findTokenProblem(text: string, kind: TokenKindShown): string | null {
  const token = text.trim();
  if (token === '') return null;
  if (/\s/.test(token)) return 'It has blanks or line breaks in it. Copy it once more, without what stands around it.';
  if (kind.pattern !== null && !new RegExp(kind.pattern).test(token))
    return `That does not look like what is asked for: ${kind.name}. Check that you copied all of it.`;
  return null;
}
