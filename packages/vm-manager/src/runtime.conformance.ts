/**
 * What every runtime must do, in one suite: a test file calls `describeRuntime` with a bench for its runtime. The bench supplies what no
 * interface should offer: ways to harm a VM from within and without, and a list of everything on the machine that is the installation's.
 */
import type { Duplex } from 'node:stream';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { VmExit } from '@vestibule/protocol/vm';
import type { Runtime } from './runtime.ts';

export type RuntimeBench = {
  /** A runtime over the same folders; each call is as a new process of the controller. */
  open(): Runtime;
  newVmId(): string;
  /** The VM's first process ends itself with this code. */
  exitWith(vmId: string, code: number): Promise<void>;
  /** The VM's first process is killed by somebody on this machine. */
  killFirstProcess(vmId: string): Promise<void>;
  /** The VM's supervisor is killed with SIGKILL. */
  killSupervisor(vmId: string): Promise<void>;
  /** From now on the VM ignores being asked to end. */
  makeDeaf(vmId: string): Promise<void>;
  /**
   * How it is told that the first process of a VM exited with this code. Default: with that very code. Where the machine around the guest has
   * an end of its own, that one's code, and the first process's in the words.
   */
  toExit?(code: number): Pick<VmExit, 'exitCode' | 'reason'>;
  /** What a VM is given to end by itself. Default 1000 ms. */
  graceMs?: number;
  /** What a stage of a VM may take here. Default 15 s. */
  patienceMs?: number;
  /** Everything of the installation on this machine: processes, namespaces, devices, mounts, packet filters, VM folders. */
  traces(): Promise<string[]>;
};

const toPlainExit = (code: number) => ({ exitCode: code, reason: `exited with code ${code}` });

export function describeRuntime(name: string, openBench: () => Promise<RuntimeBench>): void {
  describe(`the runtime ${name}`, () => {
    let bench: RuntimeBench;
    let runtime: Runtime;
    const created: string[] = [];
    const toExit = (code: number) => (bench.toExit ?? toPlainExit)(code);
    const soon = () => ({ timeout: bench.patienceMs ?? 15_000, interval: 10 });
    /** Dials until somebody listens, as the controller does. */
    const connectSoon = (from: Runtime, vmId: string, channel: 'agent' | 'display'): Promise<Duplex> =>
      vi.waitFor(() => from.connect(vmId, channel), soon());

    beforeAll(async () => {
      bench = await openBench();
      runtime = bench.open();
    });
    afterEach(async () => {
      await Promise.all(created.splice(0).map((vmId) => runtime.destroy(vmId)));
    });

    async function create(slot = 0): Promise<string> {
      const vmId = bench.newVmId();
      created.push(vmId);
      await runtime.create({ vmId, slot, layer: null, epoch: 1 });
      return vmId;
    }
    async function createUp(slot = 0): Promise<string> {
      const vmId = await create(slot);
      (await connectSoon(runtime, vmId, 'agent')).destroy();
      return vmId;
    }
    async function untilExited(vmId: string): Promise<VmExit> {
      return vi.waitFor(async () => {
        const found = await runtime.inspect(vmId);
        if (found.state !== 'exited') throw new Error(`${vmId} is ${found.state}`);
        return found.exit;
      }, soon());
    }

    it('starts a VM, shows it running and listed, and lets nothing of it remain', async () => {
      const before = await bench.traces();
      const vmId = await createUp();
      expect(await runtime.inspect(vmId)).toEqual({ state: 'running' });
      expect(await runtime.list()).toEqual([vmId]);
      expect(await bench.traces()).not.toEqual(before);
      await runtime.destroy(vmId);
      expect(await runtime.inspect(vmId)).toEqual({ state: 'missing' });
      expect(await runtime.list()).toEqual([]);
      expect(await bench.traces()).toEqual(before);
    });

    it('carries the agent, who speaks first, and the display', async () => {
      const vmId = await create();
      const agent = await connectSoon(runtime, vmId, 'agent');
      expect(JSON.parse(await readUntil(agent, '\n'))).toMatchObject({ type: 'hello', vmId });
      const display = await connectSoon(runtime, vmId, 'display');
      expect(await readUntil(display, '\n')).toBe('RFB 003.008\n');
      agent.destroy();
      display.destroy();
    });

    it('starts a VM once when it is told twice, at once and later', async () => {
      const vmId = bench.newVmId();
      created.push(vmId);
      const spec = { vmId, slot: 0, layer: null, epoch: 1 };
      await Promise.all([runtime.create(spec), runtime.create(spec)]);
      (await connectSoon(runtime, vmId, 'agent')).destroy();
      const once = await bench.traces();
      await runtime.create(spec);
      await bench.open().create(spec);
      expect(await bench.traces()).toEqual(once);
    });

    it('refuses to start a VM that has already ended', async () => {
      const vmId = await createUp();
      await bench.exitWith(vmId, 0);
      await untilExited(vmId);
      await expect(runtime.create({ vmId, slot: 0, layer: null, epoch: 1 })).rejects.toThrow(/has already ended/);
    });

    it.each([0, 1, 7, 255])(
      'tells exit code %i exactly, also to a later process, until it is destroyed',
      async (code) => {
        const vmId = await createUp();
        await bench.exitWith(vmId, code);
        const exit = await untilExited(vmId);
        expect(exit).toMatchObject({ signal: null, ...toExit(code) });
        expect(await bench.open().inspect(vmId)).toEqual({ state: 'exited', exit });
        expect(await runtime.destroy(vmId)).toEqual(exit);
        expect(await runtime.inspect(vmId)).toEqual({ state: 'missing' });
      },
    );

    it('ends a VM that is asked to with code 1, and tells so again when it is destroyed again', async () => {
      const vmId = await createUp();
      const exit = await runtime.destroy(vmId);
      expect(exit).toMatchObject({ signal: null, ...toExit(1) });
      expect(await runtime.destroy(vmId)).toEqual(exit);
    });

    it('tells the end of a VM that ended by itself just as it was to be destroyed', async () => {
      for (const code of [3, 4, 5]) {
        const vmId = await createUp();
        await bench.exitWith(vmId, code);
        expect(await runtime.destroy(vmId)).toMatchObject(toExit(code));
      }
    });

    it('kills a VM that ignores being asked, and says so', async () => {
      const before = await bench.traces();
      const vmId = await createUp();
      await bench.makeDeaf(vmId);
      const exit = await runtime.destroy(vmId);
      expect(exit).toMatchObject({
        exitCode: 137,
        reason: expect.stringContaining(`did not end within ${bench.graceMs ?? 1000} ms`) as string,
      });
      expect(await bench.traces()).toEqual(before);
    });

    it('destroys a VM that was only just created', async () => {
      const before = await bench.traces();
      await runtime.destroy(await create());
      expect(await bench.traces()).toEqual(before);
    });

    it('takes an unknown VM for missing and destroys it without harm', async () => {
      const vmId = bench.newVmId();
      expect(await runtime.inspect(vmId)).toEqual({ state: 'missing' });
      expect(await canConnect(runtime, vmId)).toBe(false);
      expect(await runtime.destroy(vmId)).toBeNull();
    });

    it('notices that the first process was killed from outside', async () => {
      const vmId = await createUp();
      await bench.killFirstProcess(vmId);
      expect(await untilExited(vmId)).toMatchObject({ exitCode: 137 });
    });

    it('lets a VM die with its supervisor, and claims to know no more than that', async () => {
      const before = await bench.traces();
      const vmId = await createUp();
      await bench.killSupervisor(vmId);
      const exit = await untilExited(vmId);
      expect(exit).toMatchObject({ exitCode: null, signal: null, reason: 'vanished with its supervisor' });
      await vi.waitFor(async () => expect(await canConnect(runtime, vmId)).toBe(false), soon());
      expect(await runtime.destroy(vmId)).toEqual(exit);
      expect(await bench.traces()).toEqual(before);
    });

    it('shows a later process the VMs of an earlier one, running and ended, and lets it end both', async () => {
      const before = await bench.traces();
      const running = await createUp(0);
      const ended = await createUp(1);
      await bench.exitWith(ended, 3);
      await untilExited(ended);
      const later = bench.open();
      expect(await later.list()).toEqual([running, ended].toSorted());
      expect(await later.inspect(running)).toEqual({ state: 'running' });
      (await connectSoon(later, running, 'agent')).destroy();
      expect(await later.destroy(running)).toMatchObject({ exitCode: toExit(1).exitCode });
      expect(await later.destroy(ended)).toMatchObject({ exitCode: toExit(3).exitCode });
      expect(await bench.traces()).toEqual(before);
    });

    it('keeps what the VM said before it ended readable', async () => {
      const vmId = await createUp();
      const agent = await runtime.connect(vmId, 'agent');
      await bench.exitWith(vmId, 1);
      await untilExited(vmId);
      expect(await readUntil(agent, '\n')).toContain('"hello"');
    });

    it('runs VMs in several slots side by side, each ending alone', async () => {
      const [first, second] = [await createUp(0), await createUp(1)];
      await runtime.destroy(first);
      expect(await runtime.inspect(second)).toEqual({ state: 'running' });
      (await runtime.connect(second, 'agent')).destroy();
    });

    it('says in preflight what is missing, with what to do about it, in form', async () => {
      for (const { id, title, hint } of await runtime.preflight())
        expect([id, title, hint].every((text) => text.trim().length > 0)).toBe(true);
    });
  });
}

async function canConnect(runtime: Runtime, vmId: string): Promise<boolean> {
  const stream = await runtime.connect(vmId, 'agent').catch(() => null);
  stream?.destroy();
  return stream !== null;
}

async function readUntil(stream: Duplex, mark: string): Promise<string> {
  let text = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    text += chunk.toString();
    if (text.includes(mark)) break;
  }
  return text;
}
