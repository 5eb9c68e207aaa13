import { TERMINAL_STATUSES } from '@vestibule/protocol/session';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Facts, type LinkFact, type Operation, plan, type VmFact } from './plan.ts';
import type { SessionRow } from './session-row.ts';
import { at, LIMITS, NOW, ROW, VM } from './testing-rows.ts';

const LINK: LinkFact = {
  state: 'connected',
  stateMs: 300_000,
  triedMs: 300_000,
  askedMs: null,
  settled: false,
  released: false,
  toldWay: 1,
  storeError: null,
};
const RUNNING: VmFact = { state: 'running' };
const EXITED: VmFact = {
  state: 'exited',
  exit: { exitCode: 1, signal: null, reason: 'exited with code 1', at: NOW.toISOString() },
};

function facts(inspection: VmFact = RUNNING, link: Partial<LinkFact> = {}): Facts {
  return {
    hostId: 'host_a',
    layer: { state: 'ready' },
    installs: { failedHere: false, message: null, hostLeft: false },
    blockedBy: null,
    vm: { inspection, link: { ...LINK, ...link } },
  };
}
const kinds = (operations: Operation[]): string[] => operations.map((operation) => operation.kind);
const doPlan = (row: Partial<SessionRow>, given: Facts): Operation[] => plan({ ...ROW, ...row }, given, LIMITS);

describe('plan, before there is a VM', () => {
  const unplaced = { status: 'started', vm: null } as const;
  const without = (change: Partial<Facts>): Facts => ({ ...facts(), vm: null, ...change });

  it('installs a missing CLI first and says so', () => {
    expect(kinds(doPlan(unplaced, without({ layer: { state: 'missing' } })))).toEqual(['wait', 'install_layer']);
  });

  it('waits in words while another sign-in holds the callback port', () => {
    expect(doPlan(unplaced, without({ blockedBy: 'port 8976' }))).toEqual([
      { kind: 'wait', waitingFor: 'port 8976', stage: 'starting_vm' },
    ]);
  });

  describe('when the CLI cannot be installed on this host', () => {
    const failed = { state: 'failed', message: 'demo: no network' } as const;
    const known = { failedHere: true, message: 'demo: no network', hostLeft: false };

    it('records it once', () => {
      expect(doPlan(unplaced, without({ layer: failed }))).toEqual([
        { kind: 'record_layer_failure', message: 'demo: no network' },
      ]);
      const other = { ...known, failedHere: false };
      expect(kinds(doPlan(unplaced, without({ layer: failed, installs: other })))).toEqual(['record_layer_failure']);
    });

    it('ends the session with the installer’s words when no host is left that might run it', () => {
      for (const layer of [failed, { state: 'missing' }, { state: 'installing' }] as const) {
        const [operation] = doPlan(unplaced, without({ layer, installs: known }));
        expect(operation).toMatchObject({ kind: 'end', code: 'cli_install_failed', detail: 'demo: no network' });
      }
    });

    it('neither ends the session nor installs again while another host is left', () => {
      const left = { ...known, hostLeft: true };
      for (const layer of [failed, { state: 'missing' }] as const)
        expect(doPlan(unplaced, without({ layer, installs: left }))).toEqual([]);
    });

    it('places the VM when the CLI is there after all', () => {
      expect(kinds(doPlan(unplaced, without({ installs: known })))).toEqual(['place_vm']);
    });

    it('is ended by a host that does not offer the provider, when the one that failed is away', () => {
      const away = { ...known, failedHere: false };
      const layer = { state: 'not_offered' } as const;
      expect(kinds(doPlan(unplaced, without({ layer, installs: away })))).toEqual(['end']);
      expect(doPlan(unplaced, without({ layer }))).toEqual([]);
    });
  });

  it('places the VM when nothing is in the way', () => {
    expect(kinds(doPlan(unplaced, without({})))).toEqual(['place_vm']);
  });
});

describe('plan, while the session is active', () => {
  it('creates the VM whose row was written before a crash', () => {
    const row = { status: 'started', vm: { ...VM, state: 'creating' } } as const;
    expect(kinds(doPlan(row, facts({ state: 'missing' }, { state: 'idle' })))).toEqual(['create_vm']);
  });

  it('dials a running VM that has no link', () => {
    expect(kinds(doPlan({}, facts(RUNNING, { state: 'idle' })))).toEqual(['dial']);
  });

  it('records the end of a VM and settles before it fails the session', () => {
    expect(kinds(doPlan({}, facts(EXITED, { state: 'idle' })))).toEqual(['record_exit', 'begin_settling']);
  });

  it('waits for the link of a dead VM to be read to its end', () => {
    const row = { settlingSince: NOW, vm: { ...VM, exitedAt: NOW } };
    expect(doPlan(row, facts(EXITED))).toEqual([]);
    expect(doPlan(row, facts(EXITED, { state: 'dialling' }))).toMatchObject([
      { kind: 'end', event: 'vm_ended', code: 'vm_ended' },
    ]);
  });

  it('names the question that is open when the time runs out', () => {
    expect(doPlan({ expiresAt: at(-1), prompt: 'Trust this folder? [y/N]' }, facts())).toMatchObject([
      {
        kind: 'begin_settling',
        cause: 'deadline_passed',
        code: 'unexpected_prompt',
        detail: 'Trust this folder? [y/N]',
      },
    ]);
  });

  it('asks the agent before a deadline ends the session, and ends it after the answer', () => {
    const overdue = { expiresAt: at(-1) };
    expect(kinds(doPlan(overdue, facts()))).toEqual(['begin_settling']);
    expect(kinds(doPlan({ ...overdue, settlingSince: NOW }, facts()))).toEqual(['ask_settle']);
    expect(doPlan({ ...overdue, settlingSince: NOW }, facts(RUNNING, { settled: true, askedMs: 0 }))).toMatchObject([
      { kind: 'end', event: 'deadline_passed', code: 'deadline_passed' },
    ]);
  });

  it('holds an overdue session whose agent cannot be reached, also when the outage was longer than the deadline', () => {
    const overdue = { expiresAt: at(-3_600_000), settlingSince: at(-1_000) };
    expect(doPlan(overdue, facts(RUNNING, { state: 'dialling' }))).toEqual([]);
    const held = { ...overdue, settlingSince: at(-LIMITS.holdMs - 1) };
    expect(kinds(doPlan(held, facts(RUNNING, { state: 'dialling' })))).toEqual(['end']);
  });

  it('does not hold a session whose agent never answered: it was given no login plan', () => {
    const vm = { ...VM, state: 'creating', createdAt: at(-LIMITS.bootMs - 1) } as const;
    const row = { status: 'started', vm, settlingSince: NOW } as const;
    const [operation] = doPlan(row, facts(RUNNING, { state: 'dialling' }));
    expect(operation).toMatchObject({ kind: 'end', code: 'vm_start_failed', detail: 'it did not answer in time' });
  });

  it('does not wait for a frozen agent beyond the hold', () => {
    const overdue = (ms: number) => ({ expiresAt: at(-ms), settlingSince: at(-ms) });
    const asked = facts(RUNNING, { askedMs: LIMITS.holdMs - 10 });
    expect(kinds(doPlan(overdue(LIMITS.holdMs), asked))).toEqual([]);
    expect(kinds(doPlan(overdue(LIMITS.holdMs + 1), asked))).toEqual(['end']);
  });

  it('says that storing failed when a login was offered and could not be stored until the hold ended', () => {
    const held = { expiresAt: at(-LIMITS.holdMs - 2), settlingSince: at(-LIMITS.holdMs - 1) };
    const [operation] = doPlan(held, facts(RUNNING, { state: 'dialling', storeError: 'the database did not take it' }));
    expect(operation).toMatchObject({ kind: 'end', event: 'sign_in_failed', code: 'store_failed' });
  });

  it('leaves a VM of another host alone until that host was silent for its hold, twice', () => {
    const elsewhere = { ...facts(), vm: null };
    expect(doPlan({ hostSilentMs: 1_000 }, elsewhere)).toEqual([]);
    expect(kinds(doPlan({ hostSilentMs: LIMITS.holdMs + 1 }, elsewhere))).toEqual(['begin_settling']);
    const held = { hostSilentMs: LIMITS.holdMs + 1, settlingSince: at(-LIMITS.holdMs - 1) };
    expect(doPlan(held, elsewhere)).toMatchObject([{ kind: 'end', code: 'host_lost' }]);
  });

  it('treats every exit code alike', () => {
    const ends = Array.from({ length: 256 }, (_, exitCode) => {
      const exit = { exitCode, signal: null, reason: 'ended', at: NOW.toISOString() };
      return doPlan({ settlingSince: NOW }, facts({ state: 'exited', exit }, { state: 'idle' })).filter(
        ({ kind }) => kind === 'end',
      );
    });
    for (const end of ends) expect(end).toEqual(ends[0]);
  });
});

describe('plan, after the session ended', () => {
  const ended = { status: 'completed', endedAt: NOW, completedAt: NOW } as const;

  it('releases the agent at once and destroys the VM after the grace', () => {
    const inGrace = { ...ended, vm: { ...VM, destroyAt: at(30_000) } };
    expect(kinds(doPlan(inGrace, facts()))).toEqual(['release']);
    expect(doPlan(inGrace, facts(RUNNING, { released: true }))).toEqual([]);
    const over = { ...ended, vm: { ...VM, destroyAt: at(-1) } };
    expect(kinds(doPlan(over, facts(RUNNING, { released: true })))).toEqual(['destroy_vm']);
  });

  it('records an exit in grace as a fact about the VM, then clears up', () => {
    const inGrace = { ...ended, vm: { ...VM, destroyAt: at(30_000) } };
    expect(kinds(doPlan(inGrace, facts(EXITED, { state: 'dialling' })))).toEqual(['record_exit', 'destroy_vm']);
  });

  it('gives the VM up once its host was silent for longer than the hold, whatever its state', () => {
    const elsewhere = { ...facts(), vm: null };
    for (const state of ['creating', 'claimed', 'draining'] as const) {
      const row = { ...ended, vm: { ...VM, state } };
      expect(doPlan({ ...row, hostSilentMs: LIMITS.holdMs }, elsewhere)).toEqual([]);
      expect(doPlan({ ...row, hostSilentMs: LIMITS.holdMs + 1 }, elsewhere)).toEqual([
        { kind: 'mark_lost', vmId: VM.vmId },
      ]);
    }
    const lost = { ...ended, vm: { ...VM, state: 'lost' }, hostSilentMs: LIMITS.holdMs + 1 } as const;
    expect(doPlan(lost, elsewhere)).toEqual([]);
  });

  it('destroys a VM that was placed in the very moment its session ended, and got no time to be destroyed at', () => {
    const row = { ...ended, vm: { ...VM, state: 'creating', destroyAt: null } } as const;
    expect(kinds(doPlan(row, facts(RUNNING, { state: 'dialling' })))).toEqual(['destroy_vm']);
  });

  describe('of a lost VM whose host is back', () => {
    const lost = { ...ended, status: 'failed', vm: { ...VM, state: 'lost', destroyAt: at(-600_000) } } as const;

    it('hears what its agent holds before it destroys the VM', () => {
      expect(kinds(doPlan(lost, facts(RUNNING, { state: 'idle' })))).toEqual(['dial']);
      expect(doPlan(lost, facts(RUNNING, { state: 'dialling', stateMs: 20, triedMs: 20 }))).toEqual([]);
      expect(kinds(doPlan(lost, facts()))).toEqual(['ask_settle']);
      expect(doPlan(lost, facts(RUNNING, { askedMs: 20 }))).toEqual([]);
      const heard = facts(RUNNING, { askedMs: 20, settled: true, released: true });
      expect(kinds(doPlan(lost, heard))).toEqual(['destroy_vm']);
    });

    it('does not wait long for an agent that cannot be reached or says nothing', () => {
      const dialling = { state: 'dialling', stateMs: 10_001, triedMs: 10_001 } as const;
      expect(kinds(doPlan(lost, facts(RUNNING, dialling)))).toEqual(['destroy_vm']);
      const breaking = { ...dialling, stateMs: 5, triedMs: 30_001 };
      expect(kinds(doPlan(lost, facts(RUNNING, breaking)))).toEqual(['destroy_vm']);
      expect(kinds(doPlan(lost, facts(RUNNING, { askedMs: 10_001, released: true })))).toEqual(['destroy_vm']);
    });

    it('destroys at once what has ended', () => {
      expect(kinds(doPlan(lost, facts(EXITED, { state: 'idle' })))).toEqual(['record_exit', 'destroy_vm']);
    });
  });

  it('plans nothing that writes a status, whatever is observed', () => {
    const inspection = fc.constantFrom<VmFact>(RUNNING, EXITED, { state: 'missing' });
    const link = fc.record<LinkFact>({
      state: fc.constantFrom('idle', 'dialling', 'connected'),
      stateMs: fc.nat(1e6),
      triedMs: fc.nat(1e6),
      askedMs: fc.option(fc.nat(1e6)),
      settled: fc.boolean(),
      released: fc.boolean(),
      toldWay: fc.option(fc.integer({ min: 1, max: 3 })),
      storeError: fc.constantFrom(null, 'down'),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...TERMINAL_STATUSES),
        inspection,
        link,
        fc.integer({ min: -1e6, max: 1e6 }),
        (status, vm, fact, offset) => {
          const row = { status, endedAt: NOW, expiresAt: at(offset), vm: { ...VM, destroyAt: at(-offset) } };
          expect(kinds(doPlan(row, facts(vm, fact)))).not.toContain('end');
        },
      ),
    );
  });
});

describe('plan, when the person changed the way to sign in', () => {
  const way = { mode: 'device_code', way: 3 } as const;

  it('tells an agent that was told an older one, also long after: rows are the truth', () => {
    for (const toldWay of [1, 2])
      expect(doPlan(way, facts(RUNNING, { toldWay }))).toEqual([{ kind: 'tell_way', vmId: 'vm_a_1' }]);
  });

  it('tells it once on a link', () => {
    expect(doPlan(way, facts(RUNNING, { toldWay: 3 }))).toEqual([]);
  });

  it('tells nobody while there is no link: the claim of the next one says it', () => {
    for (const state of ['idle', 'dialling'] as const)
      expect(kinds(doPlan(way, facts(RUNNING, { state, toldWay: null })))).not.toContain('tell_way');
  });

  it('tells nobody once the session has ended', () => {
    const ended = { ...way, status: 'cancelled', endedAt: NOW, vm: { ...VM, destroyAt: at(30_000) } } as const;
    expect(kinds(doPlan(ended, facts(RUNNING, { toldWay: 1 })))).not.toContain('tell_way');
  });

  it('leaves it to the host of the VM', () => {
    expect(doPlan(way, { ...facts(), vm: null })).toEqual([]);
  });
});
