/**
 * The runtime `fake`: scripted VMs inside this process, for `npm run dev`, tests and load. It isolates nothing and signs in nobody.
 * VMs outlive the runtime object, as real ones outlive their manager: a new object over the same folder finds them.
 */
import { dirname, join } from 'node:path';
import type { VmExit } from '@vestibule/protocol/vm';
import type { Runtime, VmSpec } from '../runtime.ts';
import { FakeMachine, type FakeControl } from '../fake/fake-machine.ts';
import { toFakeScript, type FakeScript } from '../fake/fake-script.ts';
import { writeFact } from '../system/fact-file.ts';
import { createVmFolders } from '../vm/vm-folders.ts';
import { createSingleFlight } from '../single-flight.ts';

export type FakeRuntimeOptions = {
  installationId: string;
  vmsDir: string;
  /** Default: `logs/vms` beside the VMs' folder. */
  logsDir?: string;
  /** What each VM does. Default: a person who clicks and a CLI that works. */
  script?: (vmId: string) => FakeScript;
};

export type FakeRuntime = Runtime & {
  /** Throws when that VM does not run. */
  control(vmId: string): FakeControl;
};

/** What a real runtime finds in the process table: the VMs that run, by folder. */
const machines = new Map<string, FakeMachine>();
const creations = createSingleFlight<void>();

export function createFakeRuntime(options: FakeRuntimeOptions): FakeRuntime {
  const {
    installationId,
    vmsDir,
    logsDir = join(dirname(vmsDir), 'logs', 'vms'),
    script = () => toFakeScript(),
  } = options;
  const folders = createVmFolders({ installationId, vmsDir, logsDir, writeExit: writeFact });

  function end(vmId: string, exit: VmExit | null): void {
    machines.delete(folders.dirOf(vmId));
    if (exit === null || !folders.exists(vmId)) return;
    try {
      folders.writeExit(vmId, exit);
    } catch {
      // A full disk: nobody wrote down how it ended, so it vanished. It must not end the controller it lives in.
    }
  }

  function findExit(vmId: string): VmExit {
    const known = folders.findExit(vmId);
    if (known !== null) return known;
    const vanished = {
      exitCode: null,
      signal: null,
      reason: 'vanished with its supervisor',
      at: new Date().toISOString(),
    };
    folders.writeExit(vmId, vanished);
    return vanished;
  }

  async function create(spec: VmSpec): Promise<void> {
    const { vmId } = spec;
    const dir = folders.dirOf(vmId);
    if (machines.has(dir)) return;
    if (folders.exists(vmId)) throw new Error(`${vmId} has already ended: ${findExit(vmId).reason}`);
    await folders.prepare(vmId, {}, null);
    folders.writeSpec({
      spec,
      createdAt: new Date().toISOString(),
      launch: { kind: 'sandbox', argv: [], namespaceDepth: 0, cgroups: [], memoryMib: 0, stopGraceMs: 0 },
    });
    let hasEnded = false;
    const machine = new FakeMachine(vmId, script(vmId), (exit) => {
      hasEnded = true;
      end(vmId, exit);
    });
    if (!hasEnded) machines.set(dir, machine);
  }

  return {
    kind: 'fake',
    sharedKernel: false,
    sharedLoopback: false,
    pace: () => 1,

    async preflight() {
      return [
        {
          id: 'fake_runtime',
          title: 'Sign-ins are only played',
          hint: 'The runtime is "fake": no browser starts and every login is made up. Set VESTIBULE_RUNTIME=process for real ones.',
          severity: 'notice',
        },
      ];
    },

    create: (spec) => creations.run(folders.dirOf(spec.vmId), () => create(spec)),

    async inspect(vmId) {
      if (machines.has(folders.dirOf(vmId))) return { state: 'running' };
      return folders.exists(vmId) ? { state: 'exited', exit: findExit(vmId) } : { state: 'missing' };
    },

    list: () => folders.list(),

    async connect(vmId, channel) {
      const machine = machines.get(folders.dirOf(vmId));
      if (machine === undefined) throw new Error(`${vmId} does not run`);
      return machine.connect(channel);
    },

    async destroy(vmId) {
      await machines.get(folders.dirOf(vmId))?.stop();
      if (!folders.exists(vmId)) return folders.findKeptExit(vmId);
      const exit = findExit(vmId);
      await folders.remove(vmId);
      return exit;
    },

    control(vmId) {
      const machine = machines.get(folders.dirOf(vmId));
      if (machine === undefined) throw new Error(`${vmId} does not run`);
      return machine;
    },
  };
}
