/**
 * Tells other controllers that sessions changed: one coalesced NOTIFY for many commits, sent after them, as a hint only.
 * NOTIFY inside each commit would cost half the throughput (docs/decisions/0003-embedded-postgresql.md).
 */
import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Logger } from '../telemetry/logger.ts';

const CHANNEL = 'vestibule_sessions';
const COALESCE_MS = 5;
const RECONNECT_MS = 1_000;
/** A payload must stay below 8,000 bytes; an id takes 37. */
const MAX_IDS = 200;

export function createChangeNotices(deps: { pool: Pool; onChange: (sessionId: string) => void; log: Logger }) {
  const { pool, log } = deps;
  /** First in each payload: a controller knows its own changes already. */
  const self = randomUUID();
  const pending = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  let listener: PoolClient | null = null;
  /** The listener once it listens. It speaks too: in the pool, a hint would wait behind every query that a burst of changes brings. */
  let speaker: PoolClient | null = null;
  let isSending = false;
  let reconnect: NodeJS.Timeout | null = null;
  let closed = false;
  const underWay = new Set<Promise<unknown>>();

  function follow(work: Promise<unknown>): void {
    const done = work.catch(() => undefined).finally(() => underWay.delete(done));
    underWay.add(done);
  }

  async function flush(): Promise<void> {
    const ids = [...pending];
    pending.clear();
    for (let from = 0; from < ids.length; from += MAX_IDS) {
      await (speaker ?? pool).query('select pg_notify($1, $2)', [
        CHANNEL,
        [self, ...ids.slice(from, from + MAX_IDS)].join(','),
      ]);
    }
  }

  /** What is published while one is under way goes with the next. */
  function send(): void {
    timer = null;
    isSending = true;
    const sent = flush()
      .catch((error: unknown) => log.warn({ err: error }, 'telling other controllers failed'))
      .finally(() => {
        isSending = false;
        if (pending.size > 0) schedule();
      });
    follow(sent);
  }

  function schedule(): void {
    if (closed || isSending) return;
    timer ??= setTimeout(send, COALESCE_MS).unref();
  }

  async function listen(): Promise<void> {
    const client = await pool.connect();
    if (closed) return client.release();
    listener = client;
    const drop = (): void => {
      if (listener !== client) return;
      listener = null;
      speaker = null;
      client.release(true);
      again();
    };
    client.on('notification', (message) => {
      const [sender, ...ids] = (message.payload ?? '').split(',');
      if (sender !== self) for (const id of ids) deps.onChange(id);
    });
    client.on('error', (error) => {
      log.warn({ err: error }, 'the connection that listens for changes broke; connecting again');
      drop();
    });
    await client.query(`listen ${CHANNEL}`).catch((error: unknown) => {
      drop();
      throw error;
    });
    if (listener === client) speaker = client;
  }

  /** One attempt at a time: a broken connection may both fail its `listen` and report an error. */
  function again(): void {
    if (closed) return;
    reconnect ??= setTimeout(() => {
      reconnect = null;
      follow(listen().catch(again));
    }, RECONNECT_MS).unref();
  }

  return {
    /** Resolves when this controller hears of the others' changes. */
    start: listen,
    /** After commit: passes the hint on to the other controllers. */
    publish(sessionId: string): void {
      if (closed) return;
      pending.add(sessionId);
      schedule();
    },
    /** Resolves when no connection is held any more. */
    async close(): Promise<void> {
      closed = true;
      for (const waiting of [timer, reconnect]) if (waiting !== null) clearTimeout(waiting);
      listener?.release(true);
      listener = null;
      speaker = null;
      await Promise.all(underWay);
    },
  };
}
