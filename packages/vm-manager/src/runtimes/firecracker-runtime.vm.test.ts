/**
 * The runtime `firecracker` over the double of Firecracker and its jailer, which speak their protocols truly and run no virtual machine: the
 * suite of every runtime. Nothing here was run on Firecracker itself: `npm run e2e:vm -- --runtime firecracker` does that where there is KVM.
 */
import { afterAll, describe } from 'vitest';
import { describeRuntime } from '../runtime.conformance.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { DOUBLE_ABILITIES } from '../testing-firecracker-ability.ts';
import { openFirecrackerBench } from '../testing-firecracker-bench.ts';

const bench = await openFirecrackerBench();
afterAll(() => bench.close());
const isAble = await requireAbilities(bench.open(), DOUBLE_ABILITIES);

describe.runIf(isAble)('firecracker, over a double of it', () => {
  describeRuntime('firecracker (double)', async () => bench);
});
