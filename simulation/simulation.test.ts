/** A small part of `npm run simulate`, so that every test run exercises it: schedules, a few mutants, and PostgreSQL beside the model. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../scripts/start/paths.mjs';
import { AIMED_SCENARIOS } from './aimed-scenarios.ts';
import { runDifferential } from './differential.ts';
import { MUTANTS } from './mutants.ts';
import { runSchedules } from './schedules.ts';

const PATIENCE_MS = 120_000;
/** Caught by a handful of schedules: the others have `npm run simulate -- --mutants`. */
const QUICK = [
  'end a session at once, without settling',
  'do not read the link of a dead VM to its end',
  'destroy the VM before its grace is over',
  'leave the VM of a session that has ended where it is',
  'say that a host lives less often than the hold is long',
  'acknowledge a hand-over before it is committed',
  'believe a CLI that ended with another code than 0',
  'begin a page at the first event whatever it has seen',
];

it('holds every invariant in 2,000 random schedules', { timeout: PATIENCE_MS }, async () => {
  const result = await runSchedules({ count: 2_000, seed: 1, mutant: null, label: 'test', wantsShrunk: true });
  expect(result.violations).toEqual([]);
  expect(result.schedules).toBe(2_000);
  expect(result.aimed).toBe(AIMED_SCENARIOS.length);
  for (const status of ['completed', 'failed', 'timeout', 'cancelled'])
    expect(result.outcomes[status]).toBeGreaterThan(50);
});

it(
  'does on PostgreSQL what it does on the model, in 150 sequences of interleaved transactions',
  { timeout: PATIENCE_MS },
  async () => {
    const result = await runDifferential({ count: 150, seed: 1, mutant: null, label: 'test' });
    expect(result).toEqual({ sequences: 150, difference: null });
  },
);

describe('a product broken on purpose', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('is there to be broken: %s', (_name, mutant) => {
    const places = readFileSync(join(ROOT, mutant.file), 'utf8').split(mutant.find).length - 1;
    expect(places).toBe(1);
  });

  it.each(QUICK)('is caught: %s', { timeout: PATIENCE_MS }, async (name) => {
    const mutant = MUTANTS.find((one) => one.name === name);
    if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
    const shared = { seed: 1, mutant, label: 'test-mutant', wantsShrunk: false, processes: 1 };
    expect((await runSchedules({ ...shared, count: 1_000 })).violations).toHaveLength(1);
  });
});
