/** Every cell of the VM death matrix, on the runtime `fake`: how a VM ends never decides what became of the sign-in (I3). */
import { describe, expect, it } from 'vitest';
import { DEATH_MATRIX, type DeathMoment, type DeathWay, MOMENTS, WAYS } from './session/testing-death-matrix.ts';
import { playDeath } from './testing-deaths.ts';
import { openFakeDeaths } from './testing-fake-deaths.ts';

const moments = Object.keys(MOMENTS) as DeathMoment[];
const ways = Object.keys(WAYS) as DeathWay[];

describe.concurrent.each(moments)('a VM that ends at the moment: %s', (moment) => {
  it.each(ways)('in the way: %s', async (way) => {
    const rig = await openFakeDeaths(moment);
    try {
      const expected = DEATH_MATRIX[moment][way];
      const credentials = expected.status === 'completed' ? 1 : 0;
      expect(await playDeath(rig, moment, way)).toEqual({ ...expected, credentials });
    } finally {
      await rig.close();
    }
  });
});
