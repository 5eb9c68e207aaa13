/**
 * Simulated time: a queue of events, each with its moment and the process it belongs to. Events of a dead process never happen, those of a
 * stalled one happen when it goes on. Between two events every promise that can go on does.
 */
import type { Clock } from '@vestibule/controller/clock';

/** Whatever can die or stand still: a controller, a browser VM. */
export class SimulatedProcess {
  isAlive = true;
  /** Infinity: frozen for good. */
  stalledUntilMs = 0;
}

type Event = { atMs: number; order: number; owner: SimulatedProcess | null; run: (() => void) | null };

export class SimulatedTime {
  #nowMs = 0;
  #order = 0;
  #steps = 0;
  /** A binary heap by moment, then order. */
  readonly #queue: Event[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events that have happened. */
  get steps(): number {
    return this.#steps;
  }

  /** Happens after `ms`, unless cancelled or its owner died. */
  after(ms: number, owner: SimulatedProcess | null, run: () => void): () => void {
    this.#order += 1;
    const event: Event = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order, owner, run };
    this.#push(event);
    return () => (event.run = null);
  }

  clockOf(owner: SimulatedProcess): Clock {
    return {
      nowMs: () => this.#nowMs,
      after: (ms, call) => this.after(ms, owner, call),
    };
  }

  /** Lets time pass until `isOver`, looked at after every event, or until `limitMs`. */
  async run(limitMs: number, isOver: () => boolean): Promise<void> {
    await nextTurn();
    for (let event = this.#pop(); event !== null; event = this.#pop()) {
      if (event.atMs > limitMs) {
        this.#push(event);
        this.#nowMs = limitMs;
        return;
      }
      this.#nowMs = event.atMs;
      if (event.run === null || event.owner?.isAlive === false) continue;
      const stalledUntilMs = event.owner?.stalledUntilMs ?? 0;
      if (stalledUntilMs > this.#nowMs) {
        if (stalledUntilMs !== Infinity) this.#push({ ...event, atMs: stalledUntilMs });
        continue;
      }
      this.#steps += 1;
      event.run();
      await nextTurn();
      if (isOver()) return;
    }
  }

  #push(event: Event): void {
    const queue = this.#queue;
    let at = queue.length;
    queue.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = queue[parent] as Event;
      if (!isBefore(event, above)) break;
      queue[at] = above;
      at = parent;
    }
    queue[at] = event;
  }

  #pop(): Event | null {
    const queue = this.#queue;
    const first = queue[0];
    const last = queue.pop();
    if (first === undefined || last === undefined) return null;
    if (queue.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = queue[child];
      if (left === undefined) break;
      const right = queue[child + 1];
      let below = left;
      if (right !== undefined && isBefore(right, left)) {
        child += 1;
        below = right;
      }
      if (!isBefore(below, last)) break;
      queue[at] = below;
      at = child;
    }
    queue[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
