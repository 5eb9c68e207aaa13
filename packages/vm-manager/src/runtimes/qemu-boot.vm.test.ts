/** The runtime `qemu` on this machine, the part that each test run has the time for: machines that boot, speak, and end as they are told to. */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { requireAbilities } from '../testing-abilities.ts';
import { openQemuBench, QEMU_ABILITIES } from '../testing-qemu-bench.ts';

const bench = await openQemuBench();
afterAll(() => bench.close());
const runtime = bench.open();
const isAble = await requireAbilities(runtime, QEMU_ABILITIES);

/** A guest without KVM takes its time, on a busy machine all the more. */
const BOOT = { timeout: 180_000, interval: 50 };

describe.runIf(isAble)('machines of the runtime qemu', { timeout: 300_000 }, () => {
  it('boot side by side, carry agent and display, end each in its own way, and leave nothing', async () => {
    const before = await bench.traces();
    const vmIds = [0, 1].map(() => bench.newVmId());
    const [first = '', second = ''] = vmIds;
    try {
      await Promise.all(vmIds.map((vmId, slot) => runtime.create({ vmId, slot, layer: null, epoch: 1 })));
      await Promise.all(vmIds.map((vmId) => vi.waitFor(() => bench.ask(vmId, '1'), BOOT)));
      const display = await vi.waitFor(() => runtime.connect(first, 'display'), BOOT);
      expect(String(await new Promise((resolve) => display.once('data', resolve)))).toBe('RFB 003.008\n');
      display.destroy();
      expect(await bench.ask(first, '[process.getuid(), os.hostname(), os.homedir()]')).toEqual([
        ...[1000, 'vestibule', '/home/person'],
      ]);

      // One says a last word and ends itself; the other's QEMU is killed by somebody on this machine.
      const link = await runtime.connect(first, 'agent');
      await bench.exitWith(first, 7);
      await bench.killFirstProcess(second);
      await vi.waitFor(async () => {
        for (const vmId of vmIds) expect(await runtime.inspect(vmId)).toMatchObject({ state: 'exited' });
      }, BOOT);
      expect(String(await new Promise((resolve) => link.once('data', resolve)))).toContain('"hello"');
    } finally {
      const exits = await Promise.all(vmIds.map((vmId) => runtime.destroy(vmId)));
      expect(exits).toMatchObject([{ exitCode: 7, reason: 'exited with code 7' }, { exitCode: 137 }]);
    }
    expect(await bench.traces()).toEqual(before);
  });
});
