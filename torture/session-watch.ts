/** Sees by the operator's own query which sessions have ended, and notes what it saw: what was told once must stay so. */
import { TERMINAL_STATUSES, type Status } from '@vestibule/protocol/session';
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from './database.ts';
import type { Journal } from './journal.ts';

const LOOK_AGAIN_MS = 250;

export type SessionWatch = {
  /** Resolves with how it ended; null when the watch is over before. */
  ended(sessionId: string): Promise<Status | null>;
  close(): Promise<void>;
};

export function watchSessions(database: Database, journal: Journal): SessionWatch {
  const waiting = new Map<string, (status: Status | null) => void>();
  const closing = new AbortController();

  async function look(): Promise<void> {
    if (waiting.size === 0) return;
    const { rows } = await database.pool.query<{ session_id: string; status: Status }>(
      'select session_id, status from auth_sessions where session_id = any($1) and status = any($2)',
      [[...waiting.keys()], [...TERMINAL_STATUSES]],
    );
    for (const { session_id: sessionId, status } of rows) {
      journal.note({ type: 'ended_seen', sessionId, status, by: 'the operator' });
      waiting.get(sessionId)?.(status);
      waiting.delete(sessionId);
    }
  }
  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      // The database may be down.
      await look().catch(() => undefined);
      await delay(LOOK_AGAIN_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    for (const resolve of waiting.values()) resolve(null);
  }
  const running = run();
  return {
    ended: (sessionId) => new Promise((resolve) => waiting.set(sessionId, resolve)),
    async close() {
      closing.abort();
      await running;
    },
  };
}
