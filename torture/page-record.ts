/** What one page was told, in order, across its connections, and whether that can be true. Pure. */
import type { SessionPush } from '@vestibule/protocol/api';
import { isTerminal, type Status } from '@vestibule/protocol/session';

export type PageProblem = 'gap' | 'repeat' | 'reversal';

export class PageRecord {
  readonly #onProblem: (problem: PageProblem, detail: string) => void;
  #seq = 0;
  #outcome: Status | null = null;
  #isOver = false;

  constructor(onProblem: (problem: PageProblem, detail: string) => void) {
    this.#onProblem = onProblem;
  }

  /** To be asked for what follows. */
  get seq(): number {
    return this.#seq;
  }
  get outcome(): Status | null {
    return this.#outcome;
  }
  get isOver(): boolean {
    return this.#isOver;
  }

  take({ session, steps }: SessionPush): void {
    for (const { seq } of steps) {
      if (seq > this.#seq + 1) this.#onProblem('gap', `step ${seq} after ${this.#seq}`);
      if (seq <= this.#seq) this.#onProblem('repeat', `step ${seq} after ${this.#seq}`);
      this.#seq = Math.max(this.#seq, seq);
    }
    if (session.seq > this.#seq)
      this.#onProblem('gap', `the state after ${session.seq}, and no step after ${this.#seq}`);
    this.#seq = Math.max(this.#seq, session.seq);
    if (this.#outcome !== null && session.status !== this.#outcome)
      this.#onProblem('reversal', `${session.status} after ${this.#outcome}`);
    if (isTerminal(session.status)) this.#outcome ??= session.status;
  }

  end(): void {
    if (this.#outcome === null) this.#onProblem('gap', 'the end, and no outcome');
    this.#isOver = true;
  }
}
