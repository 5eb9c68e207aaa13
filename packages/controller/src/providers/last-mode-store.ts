/** By which way a person signed in last, for the way that is suggested to them. */
import type { Mode } from '@vestibule/protocol/session';
import type { Pool } from 'pg';

export type LastModeStore = ReturnType<typeof createLastModeStore>;

export function createLastModeStore(deps: { pool: Pool }) {
  return {
    /** The way of the newest completed session, by provider. */
    async listOf(userId: string): Promise<Map<string, Mode>> {
      const result = await deps.pool.query<{ provider: string; mode: Mode }>({
        name: 'list_last_modes',
        text: `select distinct on (provider) provider, mode from auth_sessions
               where user_id = $1 and status = 'completed' order by provider, completed_at desc`,
        values: [userId],
      });
      return new Map(result.rows.map(({ provider, mode }) => [provider, mode]));
    },
  };
}
