/** One connection between a controller and an agent: two ordered directions with delays, which may fall silent or break. */
import type { AgentMessage, ControllerMessage } from '@vestibule/protocol/agent-messages';
import type { Link } from '@vestibule/agent/link';
import type { LinkStream } from '@vestibule/controller/agent-link/agent-link';
import type { SimulatedProcess, SimulatedTime } from './simulated-time.ts';

export type LinkEnds = {
  time: SimulatedTime;
  controller: SimulatedProcess;
  vm: SimulatedProcess;
  delayMs: () => number;
  onMessage: (link: Link, message: ControllerMessage) => void;
  onClosed: (link: Link) => void;
};

type Reader = { resolve: (result: IteratorResult<Buffer>) => void };

export class SimulatedLink implements LinkStream {
  readonly #ends: LinkEnds;
  readonly #received: Buffer[] = [];
  #reader: Reader | null = null;
  #isEnded = false;
  destroyed = false;
  #silentUntilMs = 0;
  /** Order within a direction: nothing arrives before what was sent earlier. */
  #toControllerAtMs = 0;
  #toAgentAtMs = 0;
  #agentClosed = false;
  #unreadHandovers = 0;
  readonly agentEnd: Link;

  constructor(ends: LinkEnds) {
    this.#ends = ends;
    this.agentEnd = { send: (message) => this.#sendToController(message), close: () => this.endFromAgent() };
  }

  /** A hand-over is under way to a controller that can still read it. */
  get hasUnreadHandover(): boolean {
    return this.#unreadHandovers > 0 && !this.destroyed && !this.#isEnded;
  }

  on(): this {
    return this;
  }

  write(line: string): void {
    if (this.destroyed) return;
    const message = JSON.parse(line) as ControllerMessage;
    this.#toAgentAtMs = this.#arrival(this.#toAgentAtMs);
    this.#ends.time.after(this.#toAgentAtMs - this.#ends.time.nowMs, this.#ends.vm, () => {
      if (!this.#agentClosed) this.#ends.onMessage(this.agentEnd, message);
    });
  }

  /** The controller closes its end, or dies. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#finish();
    this.#ends.time.after(this.#ends.delayMs(), this.#ends.vm, () => this.#closeAgentEnd());
  }

  silence(forMs: number): void {
    this.#silentUntilMs = Math.max(this.#silentUntilMs, this.#ends.time.nowMs + forMs);
  }

  /** Nothing more comes from the agent; what it sent before still arrives. */
  endFromAgent(): void {
    if (this.#agentClosed) return;
    this.#closeAgentEnd();
    this.#toControllerAtMs = this.#arrival(this.#toControllerAtMs);
    this.#ends.time.after(this.#toControllerAtMs - this.#ends.time.nowMs, this.#ends.controller, () => this.#finish());
  }

  /** Both ends break; what is under way is lost. */
  break(): void {
    this.destroyed = true;
    this.#finish();
    this.#closeAgentEnd();
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return {
      next: () =>
        new Promise((resolve) => {
          const chunk = this.#received.shift();
          if (chunk !== undefined) resolve({ done: false, value: chunk });
          else if (this.#isEnded) resolve({ done: true, value: undefined });
          else this.#reader = { resolve };
        }),
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }

  #sendToController(message: AgentMessage): void {
    if (this.#agentClosed) return;
    const chunk = Buffer.from(`${JSON.stringify(message)}\n`);
    const isHandover = message.type === 'handover';
    if (isHandover) this.#unreadHandovers += 1;
    this.#toControllerAtMs = this.#arrival(this.#toControllerAtMs);
    this.#ends.time.after(this.#toControllerAtMs - this.#ends.time.nowMs, this.#ends.controller, () => {
      if (this.#isEnded) return;
      if (isHandover) this.#unreadHandovers -= 1;
      if (this.#reader === null) this.#received.push(chunk);
      else this.#wake({ done: false, value: chunk });
    });
  }

  #arrival(previousMs: number): number {
    const { time, delayMs } = this.#ends;
    return Math.max(previousMs, this.#silentUntilMs, time.nowMs + delayMs());
  }

  #finish(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#reader !== null) this.#wake({ done: true, value: undefined });
  }

  #wake(result: IteratorResult<Buffer>): void {
    const reader = this.#reader;
    this.#reader = null;
    reader?.resolve(result);
  }

  #closeAgentEnd(): void {
    if (this.#agentClosed) return;
    this.#agentClosed = true;
    this.#ends.onClosed(this.agentEnd);
  }
}
