import { describe, expect, it } from 'vitest';
import { planSystemPackages, toAptCommand } from './system-plan.mjs';

const SERVER = {
  hasApt: true,
  missing: ['chromium'],
  isRoot: true,
  isTerminal: false,
  hasSudo: false,
  yes: false,
  install: true,
};

describe('missing system packages', () => {
  it('are installed without a question by root without a terminal', () => {
    expect(planSystemPackages(SERVER)).toEqual({ kind: 'install', sudo: false });
  });

  it('are asked about on a terminal, and --yes answers', () => {
    expect(planSystemPackages({ ...SERVER, isTerminal: true })).toEqual({ kind: 'ask', sudo: false });
    expect(planSystemPackages({ ...SERVER, isTerminal: true, yes: true })).toEqual({ kind: 'install', sudo: false });
  });

  it('are installed by sudo only at a terminal', () => {
    const person = { ...SERVER, isRoot: false, hasSudo: true };
    expect(planSystemPackages({ ...person, isTerminal: true })).toEqual({ kind: 'ask', sudo: true });
    expect(planSystemPackages({ ...person, isTerminal: true, yes: true })).toEqual({ kind: 'install', sudo: true });
    expect(planSystemPackages(person)).toEqual({ kind: 'print', sudo: true });
    expect(planSystemPackages({ ...person, yes: true })).toEqual({ kind: 'print', sudo: true });
  });

  it('are only told of to a user without sudo, and with --no-install', () => {
    expect(planSystemPackages({ ...SERVER, isRoot: false, isTerminal: true })).toEqual({ kind: 'print', sudo: false });
    expect(planSystemPackages({ ...SERVER, install: false })).toEqual({ kind: 'print', sudo: false });
    expect(planSystemPackages({ ...SERVER, install: false, hasSudo: true })).toEqual({ kind: 'print', sudo: false });
  });

  it('are no matter when none is missing, and none of ours on another system', () => {
    expect(planSystemPackages({ ...SERVER, missing: [] })).toEqual({ kind: 'nothing' });
    expect(planSystemPackages({ ...SERVER, hasApt: false })).toEqual({ kind: 'not_debian' });
  });
});

it('writes one command that a person can run, with sudo or as root', () => {
  expect(toAptCommand(['openbox', 'chromium'], { sudo: true })).toBe(
    'sudo apt-get update && sudo apt-get install -y --no-install-recommends openbox chromium',
  );
  expect(toAptCommand(['openbox'], { sudo: false })).toBe(
    'apt-get update && apt-get install -y --no-install-recommends openbox',
  );
});
