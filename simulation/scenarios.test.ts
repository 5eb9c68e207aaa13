/** Schedules that once violated an invariant, as the simulation shrank and printed them. */
import { expect, it } from 'vitest';
import { drawScenario } from './random-scenario.ts';
import type { CliScript, Fault, Scenario } from './scenario.ts';
import { runScenario } from './world/run-scenario.ts';

const CLI: CliScript = {
  when: 'exit_zero',
  personMs: 100,
  writes: 'complete',
  exitAfterMs: 10,
  exitCode: 0,
  confirm: 'not_asked',
};
const CONNECT = { atMs: 0, user: 0, cli: 0, does: 'connect', controller: 0 } as const;

function scenario(change: Partial<Scenario>): Scenario {
  const limits = { sessionMs: 2_500, holdMs: 7_000, graceMs: 0 };
  return { seed: 1, controllers: 1, limits, people: [CONNECT], clis: [CLI], faults: [], ...change };
}

it('a login that surfaces while its VM is being destroyed is refused before the page is told that all is over', async () => {
  const people = [CONNECT, { ...CONNECT, atMs: 169 }];
  for (let seed = 1; seed <= 60; seed += 1) {
    const late = scenario({ seed, people, controllers: 2, clis: [{ ...CLI, personMs: 2_600 + seed }] });
    expect((await runScenario(late)).violations).toEqual([]);
  }
});

it('a login that comes right after the answer that there is none, behind a slow statement, is not overlooked', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const clis: CliScript[] = [{ ...CLI, when: 'files', personMs: 2_640 + seed }];
    const limits = { sessionMs: 2_500, holdMs: 3_000, graceMs: 0 };
    const slow = scenario({
      ...{ seed, clis, limits },
      faults: [{ kind: 'statement', statement: 'openUrl', nth: 1, effect: 'slow' }],
    });
    expect((await runScenario(slow)).violations).toEqual([]);
  }
});

it('a host that lives is not taken for silent when the hold is shorter than its usual time between two signs of life', async () => {
  const limits = { sessionMs: 5_000, holdMs: 2_000, graceMs: 0 };
  const short = scenario({ controllers: 2, limits, clis: [{ ...CLI, personMs: 4_500 }] });
  expect(await runScenario(short)).toMatchObject({ violations: [], outcomes: { completed: 1 } });
});

it('an answer from before the deadline is none about it, also when the controller stood still in between', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const clis: CliScript[] = [{ ...CLI, when: 'files', personMs: 1_020 + 2 * seed, exitAfterMs: null }];
    const stalled = scenario({
      ...{ seed, clis, controllers: 2, limits: { sessionMs: 1_500, holdMs: 2_000, graceMs: 0 } },
      people: [CONNECT, { ...CONNECT, atMs: 1_129, does: 'supersede' }],
      faults: [0, 1].map(
        (controller) => ({ kind: 'stall_controller', atMs: 1_259, controller, forMs: 1_678 }) as const,
      ),
    });
    expect((await runScenario(stalled)).violations).toEqual([]);
  }
});

it('an agent hears of another way to sign in, whoever was asked for it, whatever breaks meanwhile', async () => {
  const change = { ...CONNECT, does: 'change_mode', controller: 1 } as const;
  const clis: CliScript[] = [{ ...CLI, personMs: 2_000 }];
  const limits = { sessionMs: 8_000, holdMs: 7_000, graceMs: 0 };
  for (let seed = 1; seed <= 40; seed += 1) {
    const atMs = 200 + 20 * seed;
    const breaks: Fault[] = [
      { kind: 'break_links', atMs: atMs + seed, vm: 0 },
      { kind: 'kill_controller', atMs: atMs + seed, controller: seed % 2, forMs: 400 },
      { kind: 'refuse_dials', atMs: atMs - seed, vm: 0, forMs: 500 },
      { kind: 'cut_database', atMs, controller: 0, forMs: 300 },
    ];
    const faults: Fault[] = [{ kind: 'lose_hints', atMs: 0, forMs: 9_000 }, breaks[seed % breaks.length]!];
    const people = [CONNECT, { ...change, atMs }, { ...change, atMs: atMs + 300 }];
    const changed = scenario({ seed, people, controllers: 2, clis, limits, faults });
    const { violations, outcomes, trace } = await runScenario(changed, { isTraced: true });
    expect([seed, violations, outcomes]).toEqual([seed, [], { completed: 1 }]);
    const told = trace.flatMap((line) => /is told way (\d+)/.exec(line)?.[1] ?? []).map(Number);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    // A person whose controller died changes it once more.
    expect(told.at(-1)).toBeGreaterThanOrEqual(3);
  }
});

it('the same seed is the same schedule, with the same end', async () => {
  const runs = [
    await runScenario(drawScenario(7), { isTraced: true }),
    await runScenario(drawScenario(7), { isTraced: true }),
  ];
  expect(runs[1]).toEqual(runs[0]);
});

it('without faults, a person who signs in in time is connected, and one who does not is not', async () => {
  expect((await runScenario(scenario({}))).outcomes).toEqual({ completed: 1 });
  expect((await runScenario(scenario({ clis: [{ ...CLI, personMs: null }] }))).outcomes).toEqual({ timeout: 1 });
  expect((await runScenario(scenario({ clis: [{ ...CLI, exitCode: 1 }] }))).outcomes).toEqual({ failed: 1 });
});
