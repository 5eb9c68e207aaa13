/** Whether a provider's notice has been accepted, and accepting it. A provider without a notice needs none. */
import { AppError } from '@vestibule/protocol/errors';
import type { ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { toNoticeHash, type Notice } from './notice.ts';
import type { Acceptance, NoticeStore } from './notice-store.ts';
import type { ProviderRegistry } from './provider-registry.ts';

export type NoticeState = Notice & { hash: string; acceptedAt: Date | null };

export function toNoticeState(
  { id, notice }: ProviderDefinition,
  acceptances: readonly Acceptance[],
): NoticeState | null {
  if (notice === undefined) return null;
  const hash = toNoticeHash(notice);
  const found = acceptances.find((acceptance) => acceptance.provider === id && acceptance.hash === hash);
  return { ...notice, hash, acceptedAt: found?.acceptedAt ?? null };
}

/** Why the provider is not offered, or null. */
export function findNoticeReason({ name }: ProviderDefinition, state: NoticeState | null): string | null {
  if (state === null || state.acceptedAt !== null) return null;
  return `The operator has not accepted the notice of ${name} yet.`;
}

export type Notices = ReturnType<typeof createNotices>;

export function createNotices({ registry, store }: { registry: ProviderRegistry; store: NoticeStore }) {
  return {
    /** Of all providers; asks nothing while none of them has a notice. */
    listAcceptances(): Promise<Acceptance[]> {
      const hasNotice = registry.list().some(({ definition }) => definition.notice !== undefined);
      return hasNotice ? store.list() : Promise.resolve([]);
    },

    /** Throws `provider_unavailable`. */
    async requireAccepted(definition: ProviderDefinition): Promise<void> {
      const acceptances = definition.notice === undefined ? [] : await store.list();
      const reason = findNoticeReason(definition, toNoticeState(definition, acceptances));
      if (reason !== null) throw new AppError('provider_unavailable', reason);
    },

    /** Throws `unknown_provider`, and `notice_changed` when `hash` is not that of the present text. */
    async accept(idOrAlias: string, hash: string, actor: string): Promise<void> {
      const { id, name, notice } = registry.get(idOrAlias).definition;
      if (notice === undefined) throw new AppError('notice_changed', `${name} has no notice now.`);
      if (toNoticeHash(notice) !== hash)
        throw new AppError('notice_changed', `Read the notice of ${name} again, and accept what it says now.`);
      await store.accept(id, { hash, title: notice.title }, actor);
    },
  };
}
