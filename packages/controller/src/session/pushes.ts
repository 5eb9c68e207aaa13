/**
 * Tells open pages of changes (I10). Rows are the truth: a wake-up is a hint to read what follows the last `seq` delivered, and a
 * backstop reads once a second for hints that got lost, so none is missed and none is repeated.
 */
import type { SessionPush } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { Clock } from '../clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isActive, type SessionRow, toSession } from './session-row.ts';
import type { SessionStore } from './session-store.ts';

const BACKSTOP_MS = 1_000;

export type PushListener = { onPush: (push: SessionPush) => void; onEnd: () => void };
type Subscriber = { listener: PushListener; seq: number };
type Topic = { subscribers: Set<Subscriber>; reading: boolean; dirty: boolean };

/** Nothing more is to be waited for: the session has ended, and its VM, if it had one, is gone, or lost with its host. */
function isOver(row: SessionRow): boolean {
  return !isActive(row) && (row.vm === null || row.vm.state === 'gone' || row.vm.state === 'lost');
}

export function createPushes(deps: { store: SessionStore; clock: Clock; log: Logger }) {
  const { store, clock, log } = deps;
  const topics = new Map<string, Topic>();

  async function deliver(sessionId: string, topic: Topic): Promise<void> {
    const row = await store.find(sessionId);
    if (row === null) return;
    const session = toSession(row);
    const behind = [...topic.subscribers].filter((subscriber) => subscriber.seq < row.seq);
    if (behind.length > 0) {
      const from = Math.min(...behind.map((subscriber) => subscriber.seq));
      const steps = (await store.listSteps(sessionId, from)).filter((step) => step.seq <= row.seq);
      for (const subscriber of behind) {
        const news = steps.filter((step) => step.seq > subscriber.seq);
        subscriber.seq = row.seq;
        subscriber.listener.onPush({ session, steps: news });
      }
    }
    if (isOver(row)) for (const subscriber of [...topic.subscribers]) subscriber.listener.onEnd();
  }

  async function read(sessionId: string, topic: Topic): Promise<void> {
    if (topic.reading) {
      topic.dirty = true;
      return;
    }
    topic.reading = true;
    do {
      topic.dirty = false;
      await deliver(sessionId, topic).catch((error: unknown) =>
        log.warn({ sessionId, err: error }, 'reading a change failed; the backstop reads again'),
      );
    } while (topic.dirty);
    topic.reading = false;
  }

  function wake(sessionId: string): void {
    const topic = topics.get(sessionId);
    if (topic !== undefined) void read(sessionId, topic);
  }

  async function readLost(): Promise<void> {
    const seen = new Map<string, number>();
    for (const [sessionId, topic] of topics)
      seen.set(sessionId, Math.min(...[...topic.subscribers].map((subscriber) => subscriber.seq)));
    for (const sessionId of await store.listBehind(seen)) wake(sessionId);
  }

  let cancelBackstop = clock.after(BACKSTOP_MS, lookAgain);

  function lookAgain(): void {
    cancelBackstop = clock.after(BACKSTOP_MS, lookAgain);
    if (topics.size > 0) readLost().catch((error: unknown) => log.warn({ err: error }, 'the backstop could not read'));
  }

  return {
    wake,

    /** See `ApiPorts.pushes`. The present state is delivered before this resolves. */
    async subscribe(sessionId: string, afterSeq: number, listener: PushListener): Promise<() => void> {
      const row = await store.find(sessionId);
      if (row === null) throw new AppError('session_not_found');
      const steps = (await store.listSteps(sessionId, afterSeq)).filter((step) => step.seq <= row.seq);
      listener.onPush({ session: toSession(row), steps });
      const topic = topics.get(sessionId) ?? { subscribers: new Set(), reading: false, dirty: false };
      const subscriber = { listener, seq: row.seq };
      topic.subscribers.add(subscriber);
      topics.set(sessionId, topic);
      // A change committed between the read above and this line has no subscriber to wake: look once more.
      wake(sessionId);
      return () => {
        topic.subscribers.delete(subscriber);
        if (topic.subscribers.size === 0 && topics.get(sessionId) === topic) topics.delete(sessionId);
      };
    },

    close(): void {
      cancelBackstop();
      topics.clear();
    },
  };
}
