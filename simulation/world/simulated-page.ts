/** An open page: follows one session by push, comes back to another controller when its own dies, and notes whatever is false, lost or told twice. */
import type { SessionPush } from '@vestibule/protocol/api';
import { isTerminal } from '@vestibule/protocol/session';
import type { SimulatedController } from './simulated-controller.ts';
import type { SimulatedProcess, SimulatedTime } from './simulated-time.ts';

const RECONNECT_MS = 1_000;

export type SimulatedPageOptions = {
  sessionId: string;
  time: SimulatedTime;
  delayMs: () => number;
  /** A controller that serves now, or null. */
  findController: () => SimulatedController | null;
  report: (violation: string) => void;
};

export class SimulatedPage {
  readonly #options: SimulatedPageOptions;
  readonly sessionId: string;
  #seq = 0;
  #status: string | null = null;
  #connection = 0;
  #arrivesAtMs = 0;
  isOver = false;

  constructor(options: SimulatedPageOptions) {
    this.#options = options;
    this.sessionId = options.sessionId;
    this.#connect();
  }

  get seq(): number {
    return this.#seq;
  }

  get status(): string | null {
    return this.#status;
  }

  /** Its connection broke, if it was to this one. */
  controllerDied(controller: SimulatedProcess): void {
    if (this.#served !== controller || this.isOver) return;
    this.#served = null;
    this.#connection += 1;
    this.#options.time.after(RECONNECT_MS, null, () => this.#connect());
  }

  #served: SimulatedProcess | null = null;

  #connect(): void {
    if (this.isOver) return;
    const { findController, time, delayMs, sessionId } = this.#options;
    const controller = findController();
    if (controller === null) return void time.after(RECONNECT_MS, null, () => this.#connect());
    this.#served = controller.process;
    this.#connection += 1;
    const connection = this.#connection;
    const listener = {
      onPush: (push: SessionPush) => this.#later(connection, () => this.#take(push)),
      onEnd: () => this.#later(connection, () => (this.isOver = true)),
    };
    time.after(delayMs(), controller.process, () => {
      controller.pushes.subscribe(sessionId, this.#seq, listener).catch(() => {
        if (connection !== this.#connection) return;
        this.#connection += 1;
        time.after(RECONNECT_MS, null, () => this.#connect());
      });
    });
  }

  /** In order, and only while that connection stands. */
  #later(connection: number, run: () => void): void {
    const { time, delayMs } = this.#options;
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, time.nowMs + delayMs());
    time.after(this.#arrivesAtMs - time.nowMs, null, () => {
      if (connection === this.#connection) run();
    });
  }

  #take({ session, steps }: SessionPush): void {
    const { report, sessionId } = this.#options;
    for (const { seq } of steps) {
      if (seq !== this.#seq + 1) report(`I10: the page of ${sessionId} was told step ${seq} after ${this.#seq}`);
      this.#seq = seq;
    }
    if (session.seq !== this.#seq)
      report(`I10: the page of ${sessionId} saw state ${session.seq} with steps up to ${this.#seq}`);
    const wasOver = this.#status !== null && isTerminal(this.#status as typeof session.status);
    if (wasOver && session.status !== this.#status)
      report(`I10: the page of ${sessionId} showed ${this.#status}, then ${session.status}`);
    this.#status = session.status;
  }
}
