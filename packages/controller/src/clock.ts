/** Monotonic time and timers, handed in wherever something waits, so that a simulation can stand in for both. The date is the database's (I12). */
export type Clock = {
  /** Monotonic milliseconds. */
  nowMs(): number;
  /** Calls back once, after `ms`; returns what cancels it. Does not keep the process alive. */
  after(ms: number, call: () => void): () => void;
};

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(ms, call) {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
};

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
