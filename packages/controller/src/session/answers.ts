/**
 * A person's answers to the program, through any controller: recorded sealed by the one that is asked, delivered by the one that holds the
 * link to the VM's agent. A delivery that broke off is made again under the same id, which the agent takes once.
 */
import { randomUUID } from 'node:crypto';
import { AppError } from '@vestibule/protocol/errors';
import type { Clock } from '../clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AnswerForm, AnswerProgress, AnswerStore, SealedAnswer, WaitingAnswer } from './answer-store.ts';
import type { LinkFact } from './plan.ts';

/** Between the recording of an answer and its end. */
const ANSWER_TTL_MS = 5_000;
const LOOK_AGAIN_MS = 250;
/** Hints come with every change of any session: many make one look. */
const COALESCE_MS = 5;

export type GivenAnswer = AnswerForm & { text: string };
/** As the link's message has it. */
export type DeliveredAnswer = { answerId: string; kind: AnswerForm['kind']; tokenKind?: string; text: string };

export type AnswersDeps = {
  store: AnswerStore;
  hostId: string;
  seal: (
    owner: { answerId: string; sessionId: string },
    text: string,
  ) => Promise<Pick<SealedAnswer, 'sealedText' | 'keyId'>>;
  open: (record: Omit<SealedAnswer, keyof AnswerForm> & { sessionId: string }) => Promise<string>;
  links: {
    fact(vmId: string): Pick<LinkFact, 'state' | 'toldWay'>;
    answer(vmId: string, answer: DeliveredAnswer): Promise<boolean>;
  };
  waitForChange: (sessionId: string, timeoutMs: number) => Promise<void>;
  clock: Clock;
  log: Logger;
  /** Default: 5 s. */
  ttlMs?: number;
};

export type Answers = ReturnType<typeof createAnswers>;

export function createAnswers(deps: AnswersDeps) {
  const { store, clock, log, ttlMs = ANSWER_TTL_MS } = deps;
  /** Given to a link that has not confirmed yet and has not ended. */
  const underWay = new Set<string>();
  let passing: Promise<void> | null = null;
  let again = false;
  let cancelPass: (() => void) | null = null;
  let closed = false;

  async function send(answer: WaitingAnswer): Promise<void> {
    const { state, toldWay } = deps.links.fact(answer.vmId);
    if (underWay.has(answer.answerId) || state !== 'connected') return;
    // The agent must hear of the way first.
    if (toldWay === null || toldWay < answer.way) return;
    const text = await deps.open(answer);
    if (!(await store.markSent(answer.answerId))) return;
    underWay.add(answer.answerId);
    const { answerId, kind, tokenKind } = answer;
    const given = { answerId, kind, text, ...(tokenKind === null ? {} : { tokenKind }) };
    void deps.links.answer(answer.vmId, given).finally(() => underWay.delete(answer.answerId));
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

  async function record(sessionId: string, answer: SealedAnswer): Promise<void> {
    if (answer.kind === 'keys') {
      const recorded = await store.recordKeys(sessionId, answer, ttlMs);
      if (recorded === 'recorded') return;
      if (recorded === 'flooded')
        throw new AppError('rate_limited', 'More was typed than the program takes. Wait a moment, or start again.');
    } else if (await store.record(sessionId, answer, ttlMs)) return;
    throw new AppError('session_not_waiting', 'The sign-in does not take an answer now.');
  }

  let cancelLook = clock.after(LOOK_AGAIN_MS, lookAgain);
  function lookAgain(): void {
    cancelLook = clock.after(LOOK_AGAIN_MS, lookAgain);
    deliver();
  }

  return {
    /** Looks at once; a hint. */
    deliver,

    /** Resolves when it is delivered or refused, or its time is over. Throws when the session takes no answer. */
    async give(sessionId: string, { text, ...form }: GivenAnswer): Promise<AnswerProgress> {
      const answerId = randomUUID();
      const until = clock.nowMs() + ttlMs;
      const sealed = await deps.seal({ answerId, sessionId }, text);
      await record(sessionId, { answerId, ...form, ...sealed });
      deliver();
      for (let leftMs = until - clock.nowMs(); leftMs > 0; leftMs = until - clock.nowMs()) {
        await deps.waitForChange(sessionId, Math.min(leftMs, LOOK_AGAIN_MS));
        const progress = await store.readProgress(answerId);
        if (progress.delivered || progress.refusedWords !== null) return progress;
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
