/** Lets code of this process wait until a session's rows changed, with a bound; a hint only, as every wake-up is. */
import type { Clock } from '../clock.ts';

export class ChangeSignal {
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(sessionId: string): void {
    const waiters = this.#waiters.get(sessionId);
    this.#waiters.delete(sessionId);
    for (const wake of waiters ?? []) wake();
  }

  /** Resolves at the next change of the session or after `timeoutMs`, whichever comes first. */
  wait(sessionId: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(sessionId) ?? new Set();
      this.#waiters.set(sessionId, waiters);
      const wake = (): void => {
        cancel();
        waiters.delete(wake);
        if (waiters.size === 0 && this.#waiters.get(sessionId) === waiters) this.#waiters.delete(sessionId);
        resolve();
      };
      const cancel = this.#clock.after(timeoutMs, wake);
      waiters.add(wake);
    });
  }
}
