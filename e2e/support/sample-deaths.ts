/** A sample of the VM death matrix with real machines and real kills: what becomes of the sign-in is what the table says (I3). */
import { expect, test } from '@playwright/test';
import {
  DEATH_MATRIX,
  type DeathMoment,
  type DeathWay,
} from '../../packages/controller/src/session/testing-death-matrix.ts';
import { playDeath } from '../../packages/controller/src/testing-deaths.ts';
import { type MachineDeaths, openMachineDeaths } from './machine-deaths.ts';
import type { RuntimeUnderTest } from './runtime-under-test.ts';

/** The host's own end comes last: nothing can be played on it afterwards. */
const SAMPLE: readonly (readonly [DeathMoment, DeathWay])[] = [
  ['before_url', 'signal'],
  ['before_url', 'vanished'],
  ['awaiting_person', 'signal'],
  ['awaiting_person', 'vanished'],
  ['awaiting_person', 'frozen'],
  ['file_incomplete', 'signal'],
  ['handover_in_flight', 'signal'],
  ['handover_in_flight', 'vanished'],
  ['handover_in_flight', 'frozen'],
  ['in_grace', 'signal'],
  ['in_grace', 'vanished'],
  ['in_grace', 'frozen'],
  ['awaiting_person', 'host_gone'],
];

/** Slower guests are given longer to end; the table is of those that are not. */
const toWords = (reason: string | null): string | null => reason?.replace(/within \d+ ms/, 'within 1000 ms') ?? null;

export function sampleDeaths(runtime: RuntimeUnderTest): void {
  const { kills } = runtime;
  if (kills === null) return;
  test.describe(`a machine of the runtime ${runtime.kind}`, () => {
    test.describe.configure({ mode: 'serial' });
    let deaths: MachineDeaths;
    test.beforeAll(async () => {
      deaths = await openMachineDeaths(runtime, kills);
    });
    test.afterAll(() => deaths?.close());

    const canPlay = ([moment]: (typeof SAMPLE)[number]): boolean =>
      moment !== 'file_incomplete' || kills.hasHomeFile !== null;
    for (const [moment, way] of SAMPLE.filter(canPlay))
      test(`${way} at ${moment} leaves what the table says`, async () => {
        const expected = DEATH_MATRIX[moment][way];
        const credentials = expected.status === 'completed' ? 1 : 0;
        const { vm, ...session } = await playDeath(deaths.rig, moment, way);
        const told = { ...session, vm: { ...vm, exitReason: toWords(vm.exitReason) } };
        expect(told).toEqual({ ...expected, credentials });
      });
  });
}
