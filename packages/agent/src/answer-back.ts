/**
 * What the person brings back from the sign-in page, a callback's address or a code: checked against the offer before anything of it reaches
 * the CLI, and brought to it once.
 */
import { recognizeAnswer, type Offer } from '@vestibule/protocol/offer';
import { deliverCallback } from './callback-delivery.ts';
import type { Log } from './log.ts';
import type { LoginRun } from './login-run.ts';
import type { Secrets } from './redaction.ts';

/** What became of an answer; the words are for the person. */
export type AnswerOutcome = { kind: 'delivered' } | { kind: 'refused'; words: string };

export const DELIVERED: AnswerOutcome = { kind: 'delivered' };
export const NOT_RUNNING = refuse('The program does not run, so it cannot take an answer.');
export const ALREADY_GIVEN = refuse(
  'The program was given an answer already, and takes one only. Wait for it, or start again.',
);

export function refuse(words: string): AnswerOutcome {
  return { kind: 'refused', words };
}

export class AnswerBack {
  readonly #secrets: Secrets;
  readonly #log: Log;
  #isGiven = false;

  constructor(secrets: Secrets, log: Log) {
    this.#secrets = secrets;
    this.#log = log;
  }

  /** `run`: null when the CLI does not run. */
  async take(text: string, offer: Offer, run: LoginRun | null): Promise<AnswerOutcome> {
    const recognized = recognizeAnswer(text, offer);
    if (recognized.kind === 'problem') return refuse(recognized.words);
    if (run === null) return NOT_RUNNING;
    // A CLI that asks again has not taken the code.
    const isAskedAgain = recognized.kind === 'code' && run.findOpenPrompt() !== null;
    if (this.#isGiven && !isAskedAgain) return ALREADY_GIVEN;
    this.#isGiven = true;
    if (recognized.kind === 'callback') return this.#bring(recognized.text, offer.url ?? recognized.text);
    for (const part of recognized.text.split('#')) this.#secrets.add(part);
    return run.process.writeLine(recognized.text) ? DELIVERED : NOT_RUNNING;
  }

  async #bring(url: string, link: string): Promise<AnswerOutcome> {
    const code = new URL(url).searchParams.get('code');
    if (code !== null) this.#secrets.add(code);
    const { host } = new URL(new URL(link).searchParams.get('redirect_uri') ?? url);
    const delivery = await deliverCallback(url, host);
    this.#log('callback brought to the program', { delivery });
    if (delivery === 'delivered') return DELIVERED;
    if (delivery === 'broken') return refuse('The program broke off while it was given the answer. Start again.');
    // Nobody has seen it.
    this.#isGiven = false;
    return refuse('The program does not wait for that answer any more. Start again.');
  }
}
