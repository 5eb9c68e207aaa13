/**
 * Schedules for moments that a random one hardly ever meets, run before those. A grid of times stands for each, as what it aims at depends
 * on the delays of the seed.
 */
import type { CliScript, Scenario, TimedFault } from './scenario.ts';

const HOWS = ['exit', 'kill', 'vanish'] as const;
const WHENS: readonly CliScript['when'][] = ['exit_zero', 'files'];

/** Where the person is done at about 1,000 ms, and what the agent then says is under way until 3,700 ms. */
const SILENCE: TimedFault = { kind: 'silence_links', atMs: 700, vm: 0, forMs: 3_000 };

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

/** A VM ends around the moment at which its login begins its way to the controller, whose link can still be read to its end (I3). */
function vmEndsBehindItsHandover(): Omit<Scenario, 'seed'>[] {
  const times = range(900, 1_800, 60);
  return HOWS.flatMap((how) =>
    WHENS.flatMap((when) =>
      times.map((atMs) => ({
        controllers: 1,
        limits: { sessionMs: 5_000, holdMs: 7_000, graceMs: 0 },
        people: [{ atMs: 0, user: 0, cli: 0, does: 'connect' as const, controller: 0 }],
        clis: [
          { when, personMs: 800, writes: 'complete', exitAfterMs: 10, exitCode: 0, confirm: 'not_asked' } as const,
        ],
        faults: [SILENCE, { kind: 'end_vm' as const, atMs, vm: 0, how, code: 1 }],
      })),
    ),
  );
}

export const AIMED_SCENARIOS: readonly Scenario[] = vmEndsBehindItsHandover().map((scenario, index) => ({
  ...scenario,
  seed: index + 1,
}));
