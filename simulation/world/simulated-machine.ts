/** A host's machine: its VMs outlive its controllers, and so does what is known of how they ended. */
import type { VmExit } from '@vestibule/protocol/vm';
import type { VmFact } from '@vestibule/controller/session/plan';
import type { Host } from '@vestibule/controller/session/reconciler-ports';
import { SimulatedVm, type SimulatedVmOptions } from './simulated-vm.ts';
import type { SimulatedProcess, SimulatedTime } from './simulated-time.ts';

export type SimulatedMachineOptions = {
  hostId: string;
  time: SimulatedTime;
  newVmId: () => string;
  providers: readonly string[];
  delayMs: () => number;
  toVmOptions: (vmId: string) => Omit<SimulatedVmOptions, 'vmId' | 'time' | 'delayMs'>;
  onCreated: (vm: SimulatedVm, machine: SimulatedMachine) => void;
  /** Called before anything of the VM is ended. */
  onDestroy: (vmId: string) => void;
};

export class SimulatedMachine {
  readonly #options: SimulatedMachineOptions;
  readonly #vms = new Map<string, SimulatedVm>();
  readonly #keptExits = new Map<string, VmExit>();

  constructor(options: SimulatedMachineOptions) {
    this.#options = options;
  }

  get vms(): ReadonlyMap<string, SimulatedVm> {
    return this.#vms;
  }

  /** The machine is gone with all on it. */
  lose(): void {
    for (const vm of this.#vms.values()) vm.end('vanish', 0);
    this.#vms.clear();
  }

  /** As the controller that runs on this machine sees it. */
  toHost(controller: SimulatedProcess): Host {
    const { hostId, time, newVmId, providers } = this.#options;
    const wait = (ms: number): Promise<void> => new Promise((resolve) => void time.after(ms, controller, resolve));
    return {
      ...{ hostId, runtime: 'process', maxVms: 4, newVmId },
      offer: () => ({ peerUrl: null, providers, maxVms: 4 }),
      create: async (vmId) => {
        await wait(this.#options.delayMs());
        this.#create(vmId);
        await wait(this.#options.delayMs());
      },
      inspect: (vmId) => Promise.resolve(this.#inspect(vmId)),
      list: () => Promise.resolve([...this.#vms.keys()]),
      destroy: async (vmId) => {
        this.#options.onDestroy(vmId);
        await wait(this.#options.delayMs());
        const vm = this.#vms.get(vmId);
        if (vm === undefined) return this.#keptExits.get(vmId) ?? null;
        vm.end('exit', 1);
        if (vm.exit !== null) this.#keptExits.set(vmId, vm.exit);
        this.#vms.delete(vmId);
        return vm.exit;
      },
    };
  }

  #create(vmId: string): void {
    if (this.#vms.has(vmId)) return;
    const { time, delayMs, toVmOptions, onCreated } = this.#options;
    const vm = new SimulatedVm({ vmId, time, delayMs, ...toVmOptions(vmId) });
    this.#vms.set(vmId, vm);
    onCreated(vm, this);
  }

  #inspect(vmId: string): VmFact {
    const vm = this.#vms.get(vmId);
    if (vm === undefined) return { state: 'missing' };
    return vm.exit === null ? { state: 'running' } : { state: 'exited', exit: vm.exit };
  }
}
