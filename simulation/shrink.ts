/** Makes a failing scenario smaller while it still fails: drops faults, people and controllers, and makes numbers rounder. */
import type { Scenario } from './scenario.ts';
import { runScenario } from './world/run-scenario.ts';

const PLAIN_CLI = {
  when: 'exit_zero',
  personMs: 100,
  writes: 'complete',
  exitAfterMs: 10,
  exitCode: 0,
  confirm: 'not_asked',
} as const;

/** Every scenario one step simpler. */
function* simplify(scenario: Scenario): Generator<Scenario> {
  const { faults, people, clis, controllers } = scenario;
  for (const [index] of faults.entries()) yield { ...scenario, faults: faults.toSpliced(index, 1) };
  for (const [index] of people.entries()) yield { ...scenario, people: people.toSpliced(index, 1) };
  if (controllers > 1) yield { ...scenario, controllers: controllers - 1 };
  for (const [index, cli] of clis.entries()) {
    for (const key of Object.keys(PLAIN_CLI) as (keyof typeof PLAIN_CLI)[])
      if (cli[key] !== PLAIN_CLI[key]) yield { ...scenario, clis: clis.with(index, { ...cli, [key]: PLAIN_CLI[key] }) };
  }
  for (const [index, fault] of faults.entries()) {
    for (const key of ['atMs', 'forMs'] as const) {
      const value = (fault as Partial<Record<typeof key, number | null>>)[key];
      const round = typeof value === 'number' ? Math.round(value / 100) * 100 : null;
      if (round !== null && round !== value)
        yield { ...scenario, faults: faults.with(index, { ...fault, [key]: round }) };
    }
  }
}

function isSensible({ people, faults, controllers }: Scenario): boolean {
  const named = [...people, ...faults].map((one) => ('controller' in one ? one.controller : 0));
  return people.length > 0 && named.every((controller) => controller < controllers);
}

async function doesFail(scenario: Scenario): Promise<boolean> {
  return (await runScenario(scenario)).violations.length > 0;
}

/** Delays depend on the seed: a simpler scenario may need another to fail in the same way. */
export async function shrink(failing: Scenario): Promise<Scenario> {
  let smallest = failing;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const candidate of simplify(smallest)) {
      if (!isSensible(candidate)) continue;
      for (const seed of [candidate.seed, 1, 2, 3]) {
        if (!(await doesFail({ ...candidate, seed }))) continue;
        smallest = { ...candidate, seed };
        isSmaller = true;
        break;
      }
      if (isSmaller) break;
    }
  }
  return smallest;
}
