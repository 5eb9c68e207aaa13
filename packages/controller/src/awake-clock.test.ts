import { expect, it } from 'vitest';
import { createAwakeClock } from './awake-clock.ts';
import type { Clock } from './clock.ts';

/** Time that passes only when told to; `standStill` lets it pass without anything happening. */
function createManualTime() {
  let nowMs = 0;
  let timers: { atMs: number; call: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    after(ms, call) {
      const timer = { atMs: nowMs + ms, call };
      timers.push(timer);
      return () => (timers = timers.filter((one) => one !== timer));
    },
  };
  const pass = (ms: number): void => {
    const untilMs = nowMs + ms;
    for (let due = timers.find(({ atMs }) => atMs <= untilMs); due; due = timers.find(({ atMs }) => atMs <= untilMs)) {
      timers.splice(timers.indexOf(due), 1);
      nowMs = Math.max(nowMs, due.atMs);
      due.call();
    }
    nowMs = untilMs;
  };
  return { clock, pass, standStill: (ms: number) => void (nowMs += ms) };
}

it('counts time while the process runs', () => {
  const { clock, pass } = createManualTime();
  const awake = createAwakeClock(clock);
  pass(10_000);
  expect(awake.nowMs()).toBe(10_000);
});

it('counts no more than a moment of the time during which the process stood still', () => {
  const { clock, pass, standStill } = createManualTime();
  const awake = createAwakeClock(clock);
  pass(5_000);
  standStill(60_000);
  pass(5_000);
  expect(awake.nowMs()).toBeLessThanOrEqual(11_000);
  expect(awake.nowMs()).toBeGreaterThanOrEqual(10_000);
});

it('beats no more once it is stopped', () => {
  const { clock, pass } = createManualTime();
  const awake = createAwakeClock(clock);
  awake.stop();
  pass(60_000);
  expect(awake.nowMs()).toBe(1_000);
});
