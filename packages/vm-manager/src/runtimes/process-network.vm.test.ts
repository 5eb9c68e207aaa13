/** A VM's own network, as root: the suite of every runtime, then what `process` promises beyond it. */
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { describeNetworkPolicy } from '../runtime.network.conformance.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { openProcessBench } from '../testing-process-bench.ts';
import { openNetworkWorld } from '../testing-network-world.ts';

const isRoot = process.geteuid?.() === 0;
const bench = await openProcessBench();
afterAll(() => bench.close());
const isAble = isRoot && (await requireAbilities(bench.open(), ['bubblewrap', 'network']));
if (!isRoot) console.warn('skipped: VMs have networks of their own only when root starts them');

describe.runIf(isAble)("a VM's own network", () => {
  describeNetworkPolicy('process', async () => bench);

  const runtime = bench.open();
  const vmIds: string[] = [];
  afterEach(async () => {
    for (const vmId of vmIds.splice(0)) await runtime.destroy(vmId);
  });
  async function createUp(slot: number): Promise<string> {
    const vmId = bench.newVmId();
    vmIds.push(vmId);
    await runtime.create({ vmId, slot, layer: null, epoch: 1 });
    await vi.waitFor(async () => (await runtime.connect(vmId, 'agent')).destroy(), { timeout: 15_000, interval: 10 });
    return vmId;
  }

  it('lets two VMs listen on the same loopback port, each reaching its own', async () => {
    for (const vmId of [await createUp(0), await createUp(1)]) {
      const listen = `new Promise((done) => net.createServer((socket) => socket.end()).listen(8976, "127.0.0.1", () => done("listening")).on("error", (error) => done(error.code)))`;
      expect(await bench.ask(vmId, listen)).toBe('listening');
      const dial = `new Promise((done) => net.connect(8976, "127.0.0.1", () => done("connected")).on("error", (error) => done(error.code)))`;
      expect(await bench.ask(vmId, dial)).toBe('connected');
    }
  });

  it('runs each slot as a uid of its own, which is not ours', async () => {
    const uids = [bench.uidOf(await createUp(0)), bench.uidOf(await createUp(1))];
    expect(new Set([...uids, process.getuid?.()]).size).toBe(3);
  });

  it('refuses an address that another installation on this machine uses, in words', async () => {
    const world = await openNetworkWorld();
    const other = bench.open({ networkCidr: `${world.host.replace(/\d+$/, (last) => String(Number(last) - 1))}/30` });
    const error = await other.create({ vmId: bench.newVmId(), slot: 0, layer: null, epoch: 1 }).catch(String);
    await world.close();
    expect(error).toContain(`${world.host} is already in use on vo`);
  });

  it('refuses as a network to allow what is none', () => {
    for (const network of ['10.0.0.0/33', '10.0.0/8', 'fd00::/8', '10.0.0.0/8 accept; drop', ''])
      expect(() => bench.open({ egress: { allow: [network], proxy: null } })).toThrow(/not an IPv4 network/);
  });
});
