/** Which notices operators have accepted. The rows of the audit log are the truth, so every controller sees an acceptance at once. */
import type { Pool } from 'pg';

const ACCEPTED = 'provider_notice_accepted';

export type Acceptance = { provider: string; hash: string; acceptedAt: Date };

export type NoticeStore = ReturnType<typeof createNoticeStore>;

export function createNoticeStore(deps: { pool: Pool }) {
  return {
    async list(): Promise<Acceptance[]> {
      const result = await deps.pool.query<{ provider: string; hash: string; accepted_at: Date }>({
        name: 'list_acceptances',
        text: `select subject as provider, data ->> 'hash' as hash, at as accepted_at from audit_log where action = '${ACCEPTED}'`,
      });
      return result.rows.map(({ provider, hash, accepted_at: acceptedAt }) => ({ provider, hash, acceptedAt }));
    },

    /** Accepting the same text again writes nothing. */
    async accept(provider: string, notice: { hash: string; title: string }, actor: string): Promise<void> {
      await deps.pool.query(
        `insert into audit_log (actor, action, subject, data)
         values ($1, '${ACCEPTED}', $2, jsonb_build_object('hash', $3::text, 'title', $4::text)) on conflict do nothing`,
        [actor, provider, notice.hash, notice.title],
      );
    },
  };
}
