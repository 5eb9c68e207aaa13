/**
 * The rows of `session_outputs`: what the CLI wrote, in chunks that are never changed. What is kept of a session is bounded here, whatever
 * its VM sends.
 */
import { MAX_OUTPUT_CHARS } from '@vestibule/protocol/agent-messages';
import type { OutputChunk } from '@vestibule/protocol/api';
import { ACTIVE_STATUSES } from '@vestibule/protocol/session';
import type { Pool } from 'pg';
import { toStorable } from './session-store.ts';

/** A row costs something, too: the smallest chunk counts as so many characters. */
const MIN_CHUNK_CHARS = 32;
/** As the column's type has it; no program that is heard writes so much. */
const MAX_N = 2_147_483_647;

export type OutputStore = ReturnType<typeof createOutputStore>;

/** `onChange`: after commit; no event goes with it. */
export function createOutputStore(deps: { pool: Pool; onChange: (sessionId: string) => void }) {
  const { pool, onChange } = deps;
  return {
    /** False when the chunk is there already, the session has ended, or it has said as much as is kept. */
    async add(sessionId: string, { n, text }: OutputChunk): Promise<boolean> {
      if (n > MAX_N) return false;
      // The lock makes the end of the session wait: whoever sees the end sees all that was written.
      const result = await pool.query(
        `with held as (
           select session_id from auth_sessions where session_id = $1 and status = any($4) for share
         ) insert into session_outputs (session_id, n, text)
           select session_id, $2, $3 from held
           where (select coalesce(sum(greatest(length(o.text), $6)), 0) + greatest(length($3), $6) from session_outputs o
             where o.session_id = $1) <= $5::int
           on conflict (session_id, n) do nothing`,
        [sessionId, n, toStorable(text), [...ACTIVE_STATUSES], MAX_OUTPUT_CHARS, MIN_CHUNK_CHARS],
      );
      if (result.rowCount !== 1) return false;
      onChange(sessionId);
      return true;
    },

    /** In their order, from after `afterN` on, at most `limit`. */
    async list(sessionId: string, afterN = 0, limit: number | null = null): Promise<OutputChunk[]> {
      const result = await pool.query<OutputChunk>(
        'select n, text from session_outputs where session_id = $1 and n > $2 order by n limit $3',
        [sessionId, afterN, limit],
      );
      return result.rows;
    },
  };
}
