/** The notice of a definition: what an operator must read and accept once before its provider is offered. */
import { createHash } from 'node:crypto';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';

export type Notice = NonNullable<ProviderDefinition['notice']>;

/** Names the text: a changed one has another. */
export function toNoticeHash({ title, text }: Notice): string {
  return createHash('sha256')
    .update(title + text)
    .digest('hex')
    .slice(0, 16);
}
