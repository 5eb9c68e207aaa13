/** What `plan` makes of outages of the controller, of old answers and of dead links. Rows and facts as in plan.test.ts. */
import { describe, expect, it } from 'vitest';
import { type Facts, type LinkFact, type Operation, plan, type VmFact } from './plan.ts';
import type { SessionRow } from './session-row.ts';
import { at, LIMITS, NOW, ROW, VM } from './testing-rows.ts';

const RUNNING: VmFact = { state: 'running' };
const EXITED: VmFact = {
  state: 'exited',
  exit: { exitCode: 1, signal: null, reason: 'exited with code 1', at: NOW.toISOString() },
};
type SomeLink = Partial<LinkFact>;
function facts(inspection: VmFact, link: SomeLink): Facts {
  const fact = {
    state: 'connected',
    settled: false,
    released: false,
    toldWay: 1,
    storeError: null,
    stateMs: 0,
    triedMs: 0,
    askedMs: null,
  };
  return {
    hostId: 'host_a',
    layer: { state: 'ready' },
    installs: { failedHere: false, message: null, hostLeft: false },
    blockedBy: null,
    vm: { inspection, link: { ...fact, ...link } as LinkFact },
  };
}
const kinds = (row: Partial<SessionRow>, inspection: VmFact, link: SomeLink): string[] =>
  plan({ ...ROW, ...row }, facts(inspection, link), LIMITS).map((operation: Operation) => operation.kind);

describe('plan, after an outage of the controller that was longer than the hold', () => {
  const away = { expiresAt: at(-3_600_000), settlingSince: at(-3_500_000) };

  it('dials the agent before it ends a session that was settling when the controller went away (I3)', () => {
    expect(kinds(away, RUNNING, { state: 'idle' })).toEqual(['dial']);
  });

  it('gives the first dial a moment', () => {
    expect(kinds(away, RUNNING, { state: 'dialling', stateMs: 20 })).toEqual([]);
    expect(kinds(away, RUNNING, { state: 'dialling', stateMs: LIMITS.holdMs + 1 })).toEqual(['end']);
  });

  it('asks the agent once it is reached', () => {
    expect(kinds(away, RUNNING, { state: 'connected' })).toEqual(['ask_settle']);
    expect(kinds(away, RUNNING, { state: 'connected', settled: true, askedMs: 100 })).toEqual(['end']);
  });

  it('creates the VM whose row was written before it, however long ago, and does not fail it for being late', () => {
    const row = { status: 'started', vm: { ...VM, state: 'creating', createdAt: at(-300_000) } } as const;
    expect(kinds(row, { state: 'missing' }, { state: 'idle' })).toEqual(['create_vm']);
  });

  it('dials a VM that booted meanwhile, and does not fail it for not having answered', () => {
    const row = { status: 'started', vm: { ...VM, state: 'creating', createdAt: at(-300_000) } } as const;
    expect(kinds(row, RUNNING, { state: 'idle' })).toEqual(['dial']);
  });
});

describe('plan, with a settling that began for a reason that went away', () => {
  it('asks the agent at the deadline, though a silence of its host began settling long before (I3)', () => {
    const row = { expiresAt: at(-10), settlingSince: at(-400_000) };
    expect(kinds(row, RUNNING, { state: 'connected', stateMs: 300_000 })).toEqual(['ask_settle']);
  });

  it('asks again at the deadline when the last answer was given to an earlier question', () => {
    const row = { expiresAt: at(-2_000), settlingSince: at(-1_000) };
    expect(kinds(row, RUNNING, { settled: true, askedMs: 300_000, stateMs: 400_000 })).toEqual(['ask_settle']);
  });
});

describe('attack: an agent that keeps its session open beyond deadline and hold', () => {
  const row = { expiresAt: at(-LIMITS.holdMs - 1), settlingSince: at(-LIMITS.holdMs - 1) };
  const triedMs = LIMITS.holdMs + 1;

  it.each<[string, SomeLink]>([
    ['by never coming to an end of what it says', { askedMs: 30_000, triedMs }],
    ['by breaking the link each time', { state: 'dialling', stateMs: 5, triedMs }],
  ])('%s, does not', (_how, link) => {
    expect(kinds(row, RUNNING, link)).toEqual(['end']);
  });
});

describe('plan, bounded', () => {
  it('does not wait for ever for the link of a dead VM', () => {
    const row = { settlingSince: at(-LIMITS.holdMs - 1), vm: { ...VM, exitedAt: at(-LIMITS.holdMs - 1) } };
    expect(kinds(row, EXITED, { state: 'connected', stateMs: 400_000, askedMs: 200_000 })).toEqual(['end']);
  });
});

describe('plan, after a restart between the destruction of a VM and its record', () => {
  it('leaves the exit to what the runtime kept of it, and does not write "vanished" over it (I3)', () => {
    const row = { status: 'completed', completedAt: NOW, endedAt: NOW, vm: { ...VM, state: 'draining' } } as const;
    expect(kinds(row, { state: 'missing' }, { state: 'idle' })).toEqual(['destroy_vm']);
  });
});
