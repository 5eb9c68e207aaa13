/**
 * One sign-in from this terminal to its end: follows the session, does what its present way needs here, shows what the CLI asks, and
 * cancels at Ctrl-C. Knows no command line.
 */
import type { Provider, Session, SessionPush } from '@vestibule/protocol/api';
import type { Client } from '@vestibule/protocol/client';
import { AppError } from '@vestibule/protocol/errors';
import type { Offer } from '@vestibule/protocol/offer';
import { isTerminal } from '@vestibule/protocol/session';
import type { OpenBrowser } from './browser-opener.ts';
import type { Interrupts } from './interrupts.ts';
import type { Report } from './report.ts';
import { followSession } from './session-pushes.ts';
import { toStepWords } from './step-words.ts';
import type { Terminal } from './terminal.ts';
import { TypedAnswers } from './typed-answers.ts';
import { startWay } from './ways/start-way.ts';
import type { RunningWay, WayContext } from './ways/way.ts';

export type SignInDeps = {
  client: Client;
  /** Its address, for words. */
  server: string;
  provider: Provider | null;
  report: Report;
  terminal: Terminal;
  openBrowser: OpenBrowser | null;
  tokenKind: string | null;
  interrupts: Interrupts;
  /** Tell every step, with what was seen. */
  withDetails: boolean;
  /** Where the session is shown in a page. */
  toPage: (sessionId: string) => string;
};

/** Resolves with the session once it has ended. */
export async function runSignIn(created: Session, deps: SignInDeps): Promise<Session> {
  const running = new RunningSignIn(created, deps);
  const release = deps.interrupts.onFirst(() => running.cancel());
  try {
    return await running.follow();
  } finally {
    release();
  }
}

class RunningSignIn {
  readonly #deps: SignInDeps;
  readonly #sessionId: string;
  readonly #context: WayContext;
  readonly #typed: TypedAnswers;
  #end: (session: Session) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;
  #way: { number: number; offer: Offer; running: RunningWay } | null = null;
  #prompt: string | null = null;

  constructor({ sessionId }: Session, deps: SignInDeps) {
    this.#deps = deps;
    this.#sessionId = sessionId;
    const ended = new Promise<Session>((resolve) => (this.#end = resolve));
    this.#context = { ...deps, sessionId, ended };
    this.#typed = new TypedAnswers({ ...deps, sessionId });
  }

  async follow(): Promise<Session> {
    const failed = new Promise<never>((_resolve, reject) => (this.#fail = reject));
    failed.catch(() => undefined);
    const left = new AbortController();
    const pushes = followSession(this.#deps.client, this.#sessionId, this.#deps.report, left.signal);
    try {
      for (;;) {
        const next = await Promise.race([pushes.next(), failed]);
        if (next.done === true) return await this.#deps.client.getSession(this.#sessionId);
        if (await this.#take(next.value)) return next.value.session;
      }
    } catch (error) {
      // Nobody here goes on with it.
      await this.#deps.client.cancelSession(this.#sessionId).catch(() => undefined);
      throw error;
    } finally {
      await this.#stopWay();
      await this.#typed.stop();
      left.abort();
      await pushes.return();
    }
  }

  cancel(): void {
    const { client, report } = this.#deps;
    report.tell({ type: 'cancelling' }, 'Cancelling the sign-in… (Ctrl-C once more leaves at once)');
    client.cancelSession(this.#sessionId).catch((error: unknown) => {
      // It had ended before, and its end is told.
      if (!(error instanceof AppError && error.code === 'session_ended')) this.#fail(error);
    });
  }

  /** True when the session has ended. */
  async #take({ session, steps }: SessionPush): Promise<boolean> {
    const { report, withDetails } = this.#deps;
    for (const step of steps) report.tell({ ...step, type: 'step', step: step.type }, toStepWords(step, withDetails));
    if (isTerminal(session.status)) {
      this.#end(session);
      return true;
    }
    await this.#takePrompt(session.prompt);
    const isNew = this.#way?.number !== session.way || steps.some(({ type }) => type === 'offer_ready');
    if (this.#way !== null && this.#way.number !== session.way) await this.#stopWay();
    if (session.offered && isNew) await this.#takeOffer(session);
    await this.#want();
    return false;
  }

  async #takePrompt(prompt: string | null): Promise<void> {
    const { report, terminal } = this.#deps;
    if (prompt !== null && prompt !== this.#prompt) {
      const how = terminal.isInteractive ? ' Type your answer, or answer it in the page.' : ' Answer it in the page.';
      report.tell({ type: 'prompt', text: prompt }, `The program asks:\n\n  ${prompt}\n\n${how.trim()}`);
    }
    this.#prompt = prompt;
  }

  async #takeOffer(session: Session): Promise<void> {
    const found = await this.#deps.client.findOffer(this.#sessionId);
    if (found === null || found.way < session.way) return;
    const known = this.#way;
    const { validForMs: _time, ...offer } = found.offer;
    if (
      known?.number === found.way &&
      JSON.stringify({ ...known.offer, validForMs: undefined }) === JSON.stringify(offer)
    )
      return;
    await this.#stopWay();
    await this.#typed.stop();
    const running = await startWay(this.#context, found.offer, (error) => this.#fail(error));
    this.#way = { number: found.way, offer: found.offer, running };
  }

  async #want(): Promise<void> {
    if (this.#way?.running.holdsTerminal() === true) return;
    const offer = this.#way?.running.takesPaste === true ? this.#way.offer : null;
    await this.#typed.want({ prompt: this.#prompt, offer });
  }

  async #stopWay(): Promise<void> {
    const way = this.#way;
    this.#way = null;
    await way?.running.stop();
  }
}
