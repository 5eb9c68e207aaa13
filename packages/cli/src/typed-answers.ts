/**
 * What the person types while a sign-in goes on: the answer to a question of the CLI, else what the sign-in gave them. Reads only while
 * one of the two is wanted.
 */
import { AppError } from '@vestibule/protocol/errors';
import type { AnswerBody } from '@vestibule/protocol/api';
import type { Client } from '@vestibule/protocol/client';
import { recognizeAnswer, type Offer } from '@vestibule/protocol/offer';
import type { Report } from './report.ts';
import type { Terminal } from './terminal.ts';

export type TypedAnswersDeps = {
  client: Pick<Client, 'answer'>;
  sessionId: string;
  report: Report;
  terminal: Pick<Terminal, 'isInteractive' | 'readLine'>;
};

/** `offer`: what a paste is judged by; null when none is wanted. */
export type Wanted = { prompt: string | null; offer: Offer | null };

export class TypedAnswers {
  readonly #deps: TypedAnswersDeps;
  #wanted: Wanted = { prompt: null, offer: null };
  #reading: { stop: AbortController; done: Promise<void> } | null = null;

  constructor(deps: TypedAnswersDeps) {
    this.#deps = deps;
  }

  async want(wanted: Wanted): Promise<void> {
    this.#wanted = wanted;
    const isWanted = wanted.prompt !== null || wanted.offer !== null;
    if (!isWanted) return this.stop();
    if (this.#reading !== null) return;
    const stop = new AbortController();
    this.#reading = { stop, done: this.#read(stop.signal) };
  }

  async stop(): Promise<void> {
    const reading = this.#reading;
    this.#reading = null;
    reading?.stop.abort();
    await reading?.done;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { terminal, report } = this.#deps;
    while (!signal.aborted) {
      const line = await terminal.readLine(terminal.isInteractive ? '> ' : '', signal);
      if (line === null || signal.aborted) return;
      const body = this.#toAnswer(line);
      if (typeof body === 'string') report.warn(body);
      else if (body !== null) await this.#give(body);
    }
  }

  /** Words when it cannot be given; null when there is nothing to give. */
  #toAnswer(line: string): AnswerBody | string | null {
    const { prompt, offer } = this.#wanted;
    // Enter alone is an answer too: it takes what the CLI proposes.
    if (prompt !== null) return line === '' ? { kind: 'keys', text: '\r' } : { kind: 'line', text: line };
    if (offer === null || line.trim() === '') return null;
    const recognized = recognizeAnswer(line, offer);
    return recognized.kind === 'problem' ? recognized.words : { kind: recognized.kind, text: recognized.text };
  }

  async #give(body: AnswerBody): Promise<void> {
    const { client, sessionId, report } = this.#deps;
    try {
      await client.answer(sessionId, body);
      report.tell({ type: 'answer_given', kind: body.kind ?? 'line' }, null);
    } catch (error) {
      const isEnded = error instanceof AppError && error.code === 'session_ended';
      if (!isEnded) report.warn(error instanceof Error ? error.message : String(error));
    }
  }
}
