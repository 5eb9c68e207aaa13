/**
 * A clock that does not count the time during which this process stood still (stopped, starved, suspended with its machine): patience with
 * somebody else must not be used up by one's own absence.
 */
import type { Clock } from './clock.ts';

const BEAT_MS = 500;
/** A beat that comes later than this after the one before it says that the process stood still. */
const LATE_MS = 1_000;

export type AwakeClock = Clock & { stop(): void };

export function createAwakeClock(clock: Clock): AwakeClock {
  let countedMs = 0;
  let beatAtMs = clock.nowMs();

  function count(): number {
    const nowMs = clock.nowMs();
    countedMs += Math.min(nowMs - beatAtMs, LATE_MS);
    beatAtMs = nowMs;
    return countedMs;
  }
  function beat(): void {
    count();
    cancel = clock.after(BEAT_MS, beat);
  }
  let cancel = clock.after(BEAT_MS, beat);

  return {
    nowMs: count,
    after: (ms, call) => clock.after(ms, call),
    stop: () => cancel(),
  };
}
