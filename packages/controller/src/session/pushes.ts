/**
 * Tells open pages of changes (I10). Rows are the truth: a wake-up is a hint to read what follows the last `seq` delivered, and a
 * backstop reads once a second for hints that got lost, so none is missed and none is repeated. Sessions that changed while others
 * were being read are read together: thousands of pages cost a few statements, not thousands.
 */
import type { SessionPush } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { SessionStep } from '@vestibule/protocol/session';
import type { Clock } from '../clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isActive, type SessionRow, toSession } from './session-row.ts';
import type { SessionStore } from './session-store.ts';

const BACKSTOP_MS = 1_000;
/** Sessions read at once: what a few milliseconds of this process are enough for. */
const MAX_READ = 200;
/** Sessions that the backstop asks about at once. */
const MAX_ASKED = 1_000;

export type PushListener = { onPush: (push: SessionPush) => void; onEnd: () => void };
/** `joining`: was not told the present state yet. */
type Subscriber = { listener: PushListener; seq: number; joining: Joining | null };
type Joining = { resolve: () => void; reject: (error: unknown) => void };

/** Nothing more is to be waited for: the session has ended, and its VM, if it had one, is gone, or lost with its host. */
function isOver(row: SessionRow): boolean {
  return !isActive(row) && (row.vm === null || row.vm.state === 'gone' || row.vm.state === 'lost');
}

function findLowestSeq(subscribers: Iterable<Subscriber>): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const { seq } of subscribers) lowest = Math.min(lowest, seq);
  return lowest;
}

export type PushesDeps = {
  store: Pick<SessionStore, 'findMany' | 'listStepsAfter' | 'listBehind'>;
  clock: Clock;
  log: Logger;
};

export function createPushes(deps: PushesDeps) {
  const { store, clock, log } = deps;
  const topics = new Map<string, Set<Subscriber>>();
  /** Changed since they were last read, the longest waiting first. */
  const dirty = new Set<string>();
  let isReading = false;
  let isClosed = false;

  function leave(sessionId: string, subscriber: Subscriber): void {
    const topic = topics.get(sessionId);
    topic?.delete(subscriber);
    if (topic?.size === 0) topics.delete(sessionId);
  }

  function refuse(sessionId: string, subscriber: Subscriber, error: unknown): void {
    if (subscriber.joining === null) return;
    leave(sessionId, subscriber);
    subscriber.joining.reject(error);
  }

  function tell(subscriber: Subscriber, row: SessionRow, session: SessionPush['session'], steps: SessionStep[]): void {
    const { joining, listener } = subscriber;
    if (joining !== null || subscriber.seq < row.seq) {
      const news = steps.filter((step) => step.seq > subscriber.seq && step.seq <= row.seq);
      subscriber.seq = row.seq;
      listener.onPush({ session, steps: news });
    }
    subscriber.joining = null;
    joining?.resolve();
    if (isOver(row)) listener.onEnd();
  }

  /** @param due those who were there before the rows were read: only for them `steps` are all there is */
  function deliver(row: SessionRow, due: ReadonlySet<Subscriber>, steps: SessionStep[]): void {
    const session = toSession(row);
    for (const subscriber of due) {
      try {
        if (topics.get(row.sessionId)?.has(subscriber) === true) tell(subscriber, row, session, steps);
      } catch (error) {
        log.warn({ sessionId: row.sessionId, err: error }, 'a page could not be told');
        refuse(row.sessionId, subscriber, error);
      }
    }
  }

  async function read(due: ReadonlyMap<string, ReadonlySet<Subscriber>>): Promise<void> {
    const rows = new Map((await store.findMany([...due.keys()])).map((row) => [row.sessionId, row]));
    const behind = new Map<string, number>();
    for (const [sessionId, row] of rows) {
      const lowest = findLowestSeq(due.get(sessionId) ?? []);
      if (lowest < row.seq) behind.set(sessionId, lowest);
    }
    const steps = await store.listStepsAfter(behind);
    for (const [sessionId, subscribers] of due) {
      const row = rows.get(sessionId);
      if (row !== undefined) deliver(row, subscribers, steps.get(sessionId) ?? []);
      else for (const subscriber of subscribers) refuse(sessionId, subscriber, new AppError('session_not_found'));
    }
  }

  function takeDirty(): Map<string, ReadonlySet<Subscriber>> {
    const due = new Map<string, ReadonlySet<Subscriber>>();
    for (const sessionId of dirty) {
      if (due.size === MAX_READ) break;
      dirty.delete(sessionId);
      const topic = topics.get(sessionId);
      if (topic !== undefined) due.set(sessionId, new Set(topic));
    }
    return due;
  }

  async function readDirty(): Promise<void> {
    while (dirty.size > 0) {
      const due = takeDirty();
      try {
        if (due.size > 0) await read(due);
      } catch (error) {
        log.warn({ sessions: due.size, err: error }, 'reading changes failed; the backstop reads again');
        for (const [sessionId, subscribers] of due)
          for (const subscriber of subscribers) refuse(sessionId, subscriber, error);
      }
    }
    isReading = false;
  }

  /** One read at a time: what is woken meanwhile waits for the next one, and no two reads of a session overtake each other. */
  function wake(sessionId: string): void {
    if (!topics.has(sessionId)) return;
    dirty.add(sessionId);
    if (isReading) return;
    isReading = true;
    void readDirty();
  }

  async function readLost(): Promise<void> {
    const all = [...topics];
    for (let from = 0; from < all.length; from += MAX_ASKED) {
      const asked = all.slice(from, from + MAX_ASKED);
      const seen = new Map(asked.map(([sessionId, topic]) => [sessionId, findLowestSeq(topic)]));
      for (const [sessionId, seq] of seen) if (!Number.isFinite(seq)) seen.delete(sessionId);
      for (const sessionId of await store.listBehind(seen)) wake(sessionId);
    }
  }

  let cancelBackstop = clock.after(BACKSTOP_MS, lookAgain);

  function lookAgain(): void {
    void readLost()
      .catch((error: unknown) => log.warn({ err: error }, 'the backstop could not read'))
      .then(() => {
        if (!isClosed) cancelBackstop = clock.after(BACKSTOP_MS, lookAgain);
      });
  }

  return {
    wake,

    /** See `ApiPorts.pushes`. The present state is delivered before this resolves. */
    async subscribe(sessionId: string, afterSeq: number, listener: PushListener): Promise<() => void> {
      if (isClosed) throw new AppError('not_ready');
      const subscriber: Subscriber = { listener, seq: afterSeq, joining: null };
      await new Promise<void>((resolve, reject) => {
        subscriber.joining = { resolve, reject };
        topics.set(sessionId, (topics.get(sessionId) ?? new Set()).add(subscriber));
        wake(sessionId);
      });
      return () => leave(sessionId, subscriber);
    },

    close(): void {
      isClosed = true;
      cancelBackstop();
      for (const [sessionId, topic] of topics)
        for (const subscriber of topic) refuse(sessionId, subscriber, new AppError('not_ready'));
      topics.clear();
    },
  };
}
