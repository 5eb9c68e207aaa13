/**
 * Tells other controllers that sessions changed: one coalesced NOTIFY for many commits, sent after them, as a hint only.
 * NOTIFY inside each commit would cost half the throughput (docs/decisions/0003-embedded-postgresql.md).
 */
import type { Pool, PoolClient } from 'pg';
import type { Logger } from '../telemetry/logger.ts';

const CHANNEL = 'vestibule_sessions';
const COALESCE_MS = 5;
const RECONNECT_MS = 1_000;
/** A payload must stay below 8,000 bytes; an id takes 37. */
const MAX_IDS = 200;

export function createChangeNotices(deps: { pool: Pool; onChange: (sessionId: string) => void; log: Logger }) {
  const { pool, log } = deps;
  const pending = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  let listener: PoolClient | null = null;
  let reconnect: NodeJS.Timeout | null = null;
  let closed = false;

  async function flush(): Promise<void> {
    timer = null;
    const ids = [...pending];
    pending.clear();
    for (let from = 0; from < ids.length; from += MAX_IDS) {
      await pool.query('select pg_notify($1, $2)', [CHANNEL, ids.slice(from, from + MAX_IDS).join(',')]);
    }
  }

  async function listen(): Promise<void> {
    const client = await pool.connect();
    listener = client;
    client.on('notification', (message) => {
      for (const id of (message.payload ?? '').split(',')) if (id !== '') deps.onChange(id);
    });
    client.on('error', (error) => {
      log.warn({ err: error }, 'the connection that listens for changes broke; connecting again');
      if (listener === client) {
        listener = null;
        client.release(true);
      }
      again();
    });
    await client.query(`listen ${CHANNEL}`);
  }

  /** One attempt at a time: a broken connection may both fail its `listen` and report an error. */
  function again(): void {
    if (closed) return;
    reconnect ??= setTimeout(() => {
      reconnect = null;
      void listen().catch(again);
    }, RECONNECT_MS).unref();
  }

  return {
    /** Resolves when this controller hears of the others' changes. */
    start: listen,
    /** After commit: passes the hint on to the other controllers. */
    publish(sessionId: string): void {
      pending.add(sessionId);
      timer ??= setTimeout(
        () => void flush().catch((error: unknown) => log.warn({ err: error }, 'telling other controllers failed')),
        COALESCE_MS,
      ).unref();
    },
    close(): void {
      closed = true;
      for (const waiting of [timer, reconnect]) if (waiting !== null) clearTimeout(waiting);
      listener?.release(true);
      listener = null;
    },
  };
}
