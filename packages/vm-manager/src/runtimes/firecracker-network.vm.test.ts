/** The network of a VM behind a tap, over the double of Firecracker: the suite of every runtime. */
import { afterAll, describe } from 'vitest';
import { describeNetworkPolicy } from '../runtime.network.conformance.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { DOUBLE_ABILITIES } from '../testing-firecracker-ability.ts';
import { openFirecrackerBench } from '../testing-firecracker-bench.ts';

const bench = await openFirecrackerBench();
afterAll(() => bench.close());
const isAble = await requireAbilities(bench.open(), DOUBLE_ABILITIES);

describe.runIf(isAble)('firecracker, over a double of it', () => {
  describeNetworkPolicy('firecracker (double)', async () => bench);
});
