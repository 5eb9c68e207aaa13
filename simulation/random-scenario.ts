/** Draws a scenario from a seed: a few people, CLIs of all kinds, and what breaks, aimed at the moments that matter. */
import { Random } from './random.ts';
import type { CliScript, Fault, PersonAction, Scenario, StatementFault, TimedFault } from './scenario.ts';

/** Each is a place where a caller can be cut off from what it just did. */
const STATEMENTS = [
  ...['complete', 'complete', 'complete', 'end', 'end', 'claim', 'greet', 'place', 'openUrl', 'beginSettling', 'find'],
  ...[
    'markClaimed',
    'recordExit',
    'markDraining',
    'markGone',
    'recordLateRefusal',
    'readHandover',
    'create',
    'supersede',
  ],
  ...['listUnsettled', 'listSteps', 'addCapability', 'appendOnce'],
];
const EFFECTS: readonly StatementFault['effect'][] = ['refused', 'unknown', 'dies_before', 'dies_after', 'slow'];
const KINDS: readonly TimedFault['kind'][] = [
  ...([
    'kill_controller',
    'kill_controller',
    'stall_controller',
    'cut_database',
    'database_down',
    'lose_hints',
  ] as const),
  ...(['end_vm', 'end_vm', 'freeze_vm', 'break_links', 'silence_links', 'refuse_dials', 'lose_host'] as const),
];

export function drawScenario(seed: number): Scenario {
  const random = new Random(seed);
  const controllers = random.pick([1, 2, 2, 3]);
  const sessionMs = random.pick([1_500, 2_500, 5_000]);
  const clis = Array.from({ length: random.between(1, 2) }, () => drawCli(random, sessionMs));
  const people = drawPeople(random, controllers, clis.length, sessionMs);
  const faults = Array.from({ length: random.pick([0, 1, 1, 2, 2, 3, 4]) }, () =>
    drawFault(random, controllers, sessionMs),
  );
  const limits = { sessionMs, holdMs: random.pick([2_000, 3_000, 7_000]), graceMs: random.pick([0, 0, 1_800]) };
  return { seed, controllers, limits, people, clis, faults };
}

function drawCli(random: Random, sessionMs: number): CliScript {
  return {
    when: random.pick(['exit_zero', 'exit_zero', 'files']),
    // Often around the deadline, where outcomes race.
    personMs: random.chance(0.1)
      ? null
      : random.pick([random.between(0, 1_500), sessionMs + random.between(-400, 300)]),
    writes: random.pick([
      'complete',
      'complete',
      'complete',
      'complete',
      'partial_first',
      'partial',
      'blank',
      'nothing',
    ]),
    exitAfterMs: random.chance(0.1) ? null : random.pick([0, random.between(1, 50), random.between(50, 1_200)]),
    exitCode: random.chance(0.85) ? 0 : random.pick([1, 137]),
    confirm: random.pick(['not_asked', 'not_asked', 'not_asked', 'yes', 'no']),
  };
}

function drawPeople(random: Random, controllers: number, clis: number, sessionMs: number): PersonAction[] {
  const draw = (atMs: number, does: PersonAction['does']): PersonAction => ({
    ...{ atMs, user: random.pick([0, 0, 1]), cli: random.between(0, clis - 1), does },
    controller: random.between(0, controllers - 1),
  });
  const more = Array.from({ length: random.pick([0, 0, 1, 1, 2]) }, () =>
    draw(random.between(0, sessionMs + 500), random.pick(['connect', 'supersede', 'supersede', 'cancel'])),
  );
  return [draw(0, 'connect'), ...more];
}

function drawFault(random: Random, controllers: number, sessionMs: number): Fault {
  if (random.chance(0.4))
    return {
      kind: 'statement',
      statement: random.pick(STATEMENTS),
      nth: random.between(1, 3),
      effect: random.pick(EFFECTS),
    };
  const kind = random.pick(KINDS);
  const atMs = random.pick([random.between(0, 1_500), random.between(0, sessionMs + 1_000)]);
  const forMs = random.pick([random.between(50, 1_000), random.between(1_000, 9_000)]);
  const controller = random.between(0, controllers - 1);
  const vm = random.pick([0, 0, 0, 1]);
  switch (kind) {
    case 'kill_controller':
    case 'stall_controller':
    case 'cut_database':
      return { kind, atMs, controller, forMs };
    case 'database_down':
    case 'lose_hints':
      return { kind, atMs, forMs };
    case 'end_vm':
      return { kind, atMs, vm, how: random.pick(['exit', 'kill', 'vanish']), code: random.pick([0, 1, 1, 139]) };
    case 'freeze_vm':
      return { kind, atMs, vm, forMs: random.chance(0.5) ? null : forMs };
    case 'break_links':
      return { kind, atMs, vm };
    case 'silence_links':
    case 'refuse_dials':
      return { kind, atMs, vm, forMs };
    case 'lose_host':
      return { kind, atMs, controller };
  }
}
