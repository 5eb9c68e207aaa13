/**
 * A person's answers to the program, through any controller: recorded sealed by the one that is asked, delivered by the one that holds the
 * link to the VM's agent. A delivery that broke off is made again under the same id, which the agent takes once.
 */
import { randomUUID } from 'node:crypto';
import { AppError } from '@vestibule/protocol/errors';
import type { Clock } from '../clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AnswerProgress, AnswerStore, SealedAnswer, WaitingAnswer } from './answer-store.ts';
import type { LinkFact } from './plan.ts';

/** Between the recording of an answer and its end. */
export const ANSWER_TTL_MS = 5_000;
const LOOK_AGAIN_MS = 250;
/** Hints come with every change of any session: many make one look. */
const COALESCE_MS = 5;

export type AnswersDeps = {
  store: AnswerStore;
  hostId: string;
  seal: (owner: { answerId: string; sessionId: string }, text: string) => Promise<Omit<SealedAnswer, 'answerId'>>;
  open: (record: SealedAnswer & { sessionId: string }) => Promise<string>;
  links: {
    fact(vmId: string): Pick<LinkFact, 'state'>;
    answer(vmId: string, answerId: string, text: string): Promise<boolean>;
  };
  waitForChange: (sessionId: string, timeoutMs: number) => Promise<void>;
  clock: Clock;
  log: Logger;
};

export type Answers = ReturnType<typeof createAnswers>;

export function createAnswers(deps: AnswersDeps) {
  const { store, clock, log } = deps;
  /** Given to a link that has not confirmed yet and has not ended. */
  const underWay = new Set<string>();
  let passing: Promise<void> | null = null;
  let again = false;
  let cancelPass: (() => void) | null = null;
  let closed = false;

  async function send(answer: WaitingAnswer): Promise<void> {
    if (underWay.has(answer.answerId) || deps.links.fact(answer.vmId).state !== 'connected') return;
    const text = await deps.open(answer);
    if (!(await store.markSent(answer.answerId))) return;
    underWay.add(answer.answerId);
    void deps.links.answer(answer.vmId, answer.answerId, text).finally(() => underWay.delete(answer.answerId));
  }

  async function pass(): Promise<void> {
    await store.eraseExpired();
    for (const answer of await store.listWaiting(deps.hostId))
      await send(answer).catch((error: unknown) =>
        log.warn({ sessionId: answer.sessionId, err: error }, 'an answer could not be delivered; it is tried again'),
      );
  }

  /** One pass at a time; hints that come meanwhile make one more. */
  function run(): void {
    cancelPass = null;
    again = passing !== null;
    passing ??= pass()
      .catch((error: unknown) => log.warn({ err: error }, 'looking for answers failed; it is tried again'))
      .finally(() => {
        passing = null;
        if (again) deliver();
      });
  }

  function deliver(): void {
    if (!closed) cancelPass ??= clock.after(COALESCE_MS, run);
  }

  let cancelLook = clock.after(LOOK_AGAIN_MS, lookAgain);
  function lookAgain(): void {
    cancelLook = clock.after(LOOK_AGAIN_MS, lookAgain);
    deliver();
  }

  return {
    /** Looks at once; a hint. */
    deliver,

    /** Resolves when it is delivered or its time is over. Throws when the session takes no answer. */
    async give(sessionId: string, text: string): Promise<AnswerProgress> {
      const answerId = randomUUID();
      const until = clock.nowMs() + ANSWER_TTL_MS;
      const sealed = await deps.seal({ answerId, sessionId }, text);
      if (!(await store.record(sessionId, { answerId, ...sealed }, ANSWER_TTL_MS)))
        throw new AppError('session_not_waiting', 'The sign-in does not take an answer now.');
      deliver();
      for (let leftMs = until - clock.nowMs(); leftMs > 0; leftMs = until - clock.nowMs()) {
        await deps.waitForChange(sessionId, Math.min(leftMs, LOOK_AGAIN_MS));
        const progress = await store.readProgress(answerId);
        if (progress.delivered) return progress;
      }
      return store.giveUp(answerId);
    },

    async close(): Promise<void> {
      closed = true;
      cancelLook();
      cancelPass?.();
      await passing;
    },
  };
}
