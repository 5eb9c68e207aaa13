/** What another life left of a VM, each part alone: it is found without a folder or anybody's memory, told by kind, and taken away. Root. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../system/run-command.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { openProcessBench } from '../testing-process-bench.ts';
import { mountRunFolder } from '../vm/run-folder.ts';
import { createVmCgroups } from '../vm/vm-cgroup.ts';
import { createVmNetworks } from '../vm/vm-network.ts';

const isRoot = process.geteuid?.() === 0;
const bench = await openProcessBench();
afterAll(() => bench.close());
const isAble = isRoot && (await requireAbilities(bench.open(), ['bubblewrap', 'network']));
if (!isRoot) console.warn('skipped: only root makes what this looks for');
const cgroups = createVmCgroups(bench.installationId);

describe.runIf(isAble)('what another life left of a VM', () => {
  const runtime = bench.open();
  const { installationId, vmsDir } = bench;
  const children: ChildProcess[] = [];
  afterAll(async () => {
    for (const child of children) {
      const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
      child.kill('SIGKILL');
      await ended;
    }
  });
  function start(argv: readonly string[]): void {
    const [program = '', ...args] = argv;
    children.push(spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] }));
  }

  /** Makes each kind of thing, by itself. */
  const kinds: Record<string, (vmId: string) => Promise<unknown> | void> = {
    folder: (vmId) => mkdirSync(join(vmsDir, vmId)),
    async mount(vmId) {
      mkdirSync(join(vmsDir, vmId, 'run'), { recursive: true });
      await mountRunFolder(join(vmsDir, vmId, 'run'), 0);
    },
    network: (vmId) => runCommand(['ip', 'netns', 'add', vmId]),
    async device(vmId) {
      await createVmNetworks({ installationId, cidr: '10.199.0.0/16' }).create(vmId, 7, []);
      // Somebody in the namespace keeps the pair of devices when its name is gone.
      start(['nsenter', `--net=/run/netns/${vmId}`, '--', 'sleep', '600']);
      await vi.waitFor(async () => {
        if ((await runCommand(['ip', 'netns', 'pids', vmId])).trim() === '') throw new Error('nobody is inside');
      });
      await runCommand(['ip', 'netns', 'del', vmId]);
    },
    cgroup: (vmId) => cgroups?.create(vmId, { memoryMib: 64, pids: 16, cpus: 1 }).then(() => undefined),
    processes: (vmId) => start([process.execPath, join(bench.dir, 'supervisor.mjs'), join(vmsDir, vmId)]),
  };
  const told: Record<string, string[]> = { mount: ['folder', 'mount'], device: ['network'] };

  it.each(Object.keys(kinds))('is found and taken away when it is only: %s', async (kind) => {
    if (kind === 'cgroup' && cgroups === null) return;
    const before = await bench.traces();
    const vmId = bench.newVmId();
    await kinds[kind]?.(vmId);
    await vi.waitFor(async () => expect(await bench.open().list()).toEqual([vmId]), { timeout: 10_000, interval: 20 });
    expect(await bench.traces()).not.toEqual(before);
    expect((await runtime.remains?.(vmId))?.map((remain) => remain.kind)).toEqual(told[kind] ?? [kind]);
    await runtime.destroy(vmId);
    expect(await runtime.remains?.(vmId)).toEqual([]);
    expect(await runtime.list()).toEqual([]);
    await vi.waitFor(async () => expect(await bench.traces()).toEqual(before), { timeout: 10_000, interval: 50 });
  });
});
