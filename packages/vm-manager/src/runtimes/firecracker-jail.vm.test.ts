/** What the runtime `firecracker` promises beyond the suite of every runtime, over the double: the jail, the machine's ends, what fails. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import type { VmExit } from '@vestibule/protocol/vm';
import { toJailId } from '../firecracker/jail.ts';
import { parseCgroupTrees } from '../system/cgroup-mounts.ts';
import { isAlive } from '../system/process-identity.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { DOUBLE_ABILITIES } from '../testing-firecracker-ability.ts';
import { openFirecrackerBench } from '../testing-firecracker-bench.ts';
import { GUEST } from '../vm/guest.ts';

const bench = await openFirecrackerBench();
const runtime = bench.open();
afterAll(() => bench.close());
const isAble = await requireAbilities(runtime, DOUBLE_ABILITIES);
const UP = { timeout: 15_000, interval: 10 };

describe.runIf(isAble)('firecracker, over a double of it', () => {
  const created: string[] = [];
  afterEach(async () => {
    bench.double.configure({});
    await Promise.all(created.splice(0).map((vmId) => runtime.destroy(vmId)));
  });
  async function create(layer: { dir: string } | null = null): Promise<string> {
    const vmId = bench.newVmId();
    created.push(vmId);
    await runtime.create({ vmId, slot: 0, layer, epoch: 1 });
    return vmId;
  }
  async function createUp(layer: { dir: string } | null = null): Promise<string> {
    const vmId = await create(layer);
    await vi.waitFor(async () => (await runtime.connect(vmId, 'agent')).destroy(), UP);
    return vmId;
  }
  async function untilExited(vmId: string): Promise<VmExit> {
    return vi.waitFor(async () => {
      const found = await runtime.inspect(vmId);
      if (found.state !== 'exited') throw new Error(`${vmId} is ${found.state}`);
      return found.exit;
    }, UP);
  }

  describe('the jail', () => {
    it("belongs to the VM's own uid, holds the image read-only, and gives Firecracker nothing else", async () => {
      const vmId = await createUp();
      const root = bench.jailRootOf(vmId);
      expect(statSync(root)).toMatchObject({ uid: 53_000, gid: 53_000, mode: 0o40700 });
      expect(statSync(join(root, 'dev/kvm'))).toMatchObject({ uid: 53_000, rdev: (10 << 8) + 232 });
      const { pid } = bench.firecrackerOf(vmId);
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      expect(status).toMatch(/^Uid:\t53000\t53000\t53000\t53000$/m);
      expect(status).toMatch(/^Groups:\t\s*$/m);
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/^Max file size\s+1048576\s/m);
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n');
      for (const name of ['vmlinux', 'initramfs', 'root.img', 'config.img'])
        expect(mounts.find((line) => line.includes(join(root, name)))).toMatch(/ ro,/);
      // Bound in the jail's own mount namespace: this one has none of it.
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(root);
    });

    it('is in cgroups of its own, with the limits of a VM', async () => {
      const vmId = await createUp();
      const { pid } = bench.firecrackerOf(vmId);
      const path = join('/', vmId, toJailId(vmId));
      expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toContain(path);
      const trees = new Set(parseCgroupTrees(readFileSync('/proc/self/mountinfo', 'utf8')).map((tree) => tree.dir));
      const limits = [...trees].flatMap((hierarchy) =>
        ['pids.max', 'memory.limit_in_bytes', 'memory.max', 'cpu.cfs_quota_us', 'cpu.max'].flatMap((file) => {
          const at = join(hierarchy, path, file);
          return existsSync(at) ? [readFileSync(at, 'utf8').trim().split(' ')[0]] : [];
        }),
      );
      expect(limits.toSorted()).toEqual(['1024', '200000', String((2048 + 256) * 1024 * 1024)].toSorted());
    });

    it("is in the VM's network namespace, and not in this machine's", async () => {
      const vmId = await createUp();
      const inodeOf = (path: string): number => statSync(path).ino;
      const { pid } = bench.firecrackerOf(vmId);
      expect(inodeOf(`/proc/${pid}/ns/net`)).toBe(inodeOf(`/run/netns/${vmId}`));
      expect(inodeOf(`/proc/${pid}/ns/pid`)).not.toBe(inodeOf('/proc/self/ns/pid'));
    });

    it('gives the guest what its drives say: its name, its policy, the layer of its CLI', async () => {
      const layer = join(bench.dir, 'layers', 'cli-1.0');
      mkdirSync(join(layer, 'bin'), { recursive: true });
      writeFileSync(join(layer, 'bin', 'cli'), '#!/bin/sh\n', { mode: 0o755 });
      const vmId = await createUp({ dir: layer });
      expect(await bench.ask(vmId, 'process.env.VESTIBULE_VM_ID')).toBe(vmId);
      expect(await bench.ask(vmId, `fs.readFileSync("${GUEST.policyFile}", "utf8")`)).toContain('IncognitoMode');
      expect(await bench.ask(vmId, `fs.readFileSync("${GUEST.layerDir}/bin/cli", "utf8")`)).toBe('#!/bin/sh\n');
      expect(await bench.ask(vmId, `fs.statSync("${GUEST.layerDir}/bin/cli").mode & 0o777`)).toBe(0o755);
    });
  });

  describe('how the machine ends', () => {
    it('with 1, when a processor of the VM stops, in words', async () => {
      const vmId = await createUp();
      await bench.end(vmId, 'triple_fault');
      expect(await untilExited(vmId)).toMatchObject({
        exitCode: 1,
        signal: null,
        reason: 'exited with code 1: a processor of the VM stopped: a triple fault, or an error of KVM',
      });
      expect(bench.logOf(vmId)).toContain('(this is not normal)');
    });

    it("with 0, when the guest's kernel panics: it restarts by the keyboard controller as by any other way", async () => {
      const vmId = await createUp();
      await bench.end(vmId, 'panic');
      expect(await untilExited(vmId)).toMatchObject({
        exitCode: 0,
        reason: 'exited with code 0: the guest restarted, which is how a VM ends itself',
      });
    });

    it.each([
      { code: 148, says: 'it made a system call that its filter forbids' },
      { code: 151, says: 'SIGXFSZ: a file grew beyond the limit of the jail' },
    ])("with Firecracker's own code $code, which is not taken for a signal", async ({ code, says }) => {
      const vmId = await createUp();
      await bench.end(vmId, code);
      expect(await untilExited(vmId)).toMatchObject({ exitCode: code, reason: `exited with code ${code}: ${says}` });
    });

    it('not at all, when the guest powers off; destroying it ends it', async () => {
      const before = await bench.traces();
      const vmId = await createUp();
      await bench.end(vmId, 'poweroff');
      await vi.waitFor(() => expect(bench.logOf(vmId)).toContain('the guest is off'));
      expect(await runtime.inspect(vmId)).toEqual({ state: 'running' });
      expect(await runtime.destroy(vmId)).not.toBeNull();
      expect(await bench.traces()).toEqual(before);
    });

    it('by SIGKILL, which leaves sockets that nobody is sent to any more', async () => {
      const vmId = await createUp();
      await bench.killFirstProcess(vmId);
      const exit = await untilExited(vmId);
      expect(exit.reason).toBe('killed by SIGKILL: by somebody on this machine, or because memory ran out');
      expect(readdirSync(bench.jailRootOf(vmId)).filter((name) => /^(api|v)\.sock$/.test(name))).toEqual([]);
      await expect(runtime.connect(vmId, 'agent')).rejects.toThrow(/ENOENT/);
    });

    it('with its supervisor, killed at any moment of its start', async () => {
      const before = await bench.traces();
      for (let round = 0; round < 6; round += 1) {
        const vmId = bench.newVmId();
        created.push(vmId);
        const creating = runtime.create({ vmId, slot: 0, layer: null, epoch: 1 }).catch(() => undefined);
        await delay(round * 100);
        await vi.waitFor(() => bench.killSupervisor(vmId), UP);
        await creating;
        await runtime.destroy(vmId);
        expect(await bench.traces()).toEqual(before);
      }
    });

    it('and takes the whole jail along when the supervisor is killed: by its process namespace, as the jailer changes its uid', async () => {
      const vmId = await createUp();
      const firecracker = bench.firecrackerOf(vmId);
      await bench.killSupervisor(vmId);
      await vi.waitFor(() => expect(isAlive(firecracker)).toBe(false), UP);
      expect(await runtime.destroy(vmId)).toMatchObject({ exitCode: null, reason: 'vanished with its supervisor' });
    });
  });

  describe('what fails', () => {
    it.each(['PUT /logger', 'PUT /network-interfaces/eth0', 'PUT /actions'])(
      'when %s is refused, the VM is not created, in words, and nothing of it stays',
      async (request) => {
        const before = await bench.traces();
        bench.double.configure({ answers: [{ request, instead: { fault: 'the moon is not right' } }] });
        await expect(create()).rejects.toThrow(
          new RegExp(`starting vm_.*Firecracker could not be configured: ${request}: the moon is not right`),
        );
        expect(await bench.traces()).toEqual(before);
      },
    );

    it.each(['hang_up', 'garbage'] as const)('when the answer is %s, nothing of the VM stays', async (instead) => {
      const before = await bench.traces();
      bench.double.configure({ answers: [{ request: 'PUT /actions', instead }] });
      await expect(create()).rejects.toThrow(/could not be configured: PUT \/actions: /);
      expect(await bench.traces()).toEqual(before);
    });

    it('waits for answers that are slow', async () => {
      bench.double.configure({ answers: [{ request: 'PUT /actions', delayMs: 700 }] });
      expect(await runtime.inspect(await createUp())).toEqual({ state: 'running' });
    });

    it("tells the jailer's own words when it refuses, and leaves nothing", async () => {
      const before = await bench.traces();
      const vmId = bench.newVmId();
      const other = bench.open({ firecrackerPath: '/nowhere/firecracker' });
      await expect(other.create({ vmId, slot: 0, layer: null, epoch: 1 })).rejects.toThrow(
        /exited with code 1: the jailer or Firecracker refused to start.*Failed to canonicalize path \/nowhere\/firecracker/,
      );
      expect(await bench.traces()).toEqual(before);
    });

    it('says what to do when there is no image', async () => {
      const before = await bench.traces();
      const vmId = bench.newVmId();
      const other = bench.open({ imagesDir: '/nowhere' });
      await expect(other.create({ vmId, slot: 0, layer: null, epoch: 1 })).rejects.toThrow('vestibule images build');
      expect(await bench.traces()).toEqual(before);
    });

    it('when vsock answers something else, connecting fails in words', async () => {
      bench.double.configure({ vsockAnswers: { delayMs: 20, text: 'KO 5\n' } });
      await expect(runtime.connect(await create(), 'agent')).rejects.toThrow('not an answer of Firecracker: "KO 5\\n"');
    });

    it('takes nothing for a socket of its own that was put in its place', async () => {
      const vmId = await createUp();
      const root = bench.jailRootOf(vmId);
      // As whoever broke out of Firecracker into its jail could.
      rmSync(join(root, 'v.sock'));
      symlinkSync('/run/docker.sock', join(root, 'v.sock'));
      await expect(runtime.connect(vmId, 'agent')).rejects.toThrow(/not a socket|ELOOP/);
    });
  });

  it('keeps what the guest and Firecracker print, from the first line, bounded', async () => {
    const vmId = await createUp();
    await bench.ask(
      vmId,
      'new Promise((done) => process.stdout.write("x".repeat(3e6) + "the last line\\n", () => done(1)))',
    );
    await vi.waitFor(() => expect(bench.logOf(vmId).includes('the last line')).toBe(true), UP);
    await runtime.destroy(vmId);
    expect(bench.logOf(vmId).length).toBeLessThan(1.1 * 1024 * 1024);
  });

  it('finds a VM of which another life left only a jail', async () => {
    const before = await bench.traces();
    const vmId = bench.newVmId();
    mkdirSync(bench.jailRootOf(vmId), { recursive: true });
    expect(await runtime.list()).toEqual([vmId]);
    expect(await runtime.remains?.(vmId)).toEqual([{ kind: 'jail', name: dirname(bench.jailRootOf(vmId)) }]);
    await runtime.destroy(vmId);
    expect(await runtime.list()).toEqual([]);
    expect(await bench.traces()).toEqual(before);
  });

  it('says in preflight that this is a double, and that its probe ran', async () => {
    const found = await runtime.preflight();
    expect(found.map(({ id }) => id)).toEqual(['firecracker_double']);
    const other = await bench
      .open({ jailerPath: join('/nowhere', basename('jailer')), imagesDir: '/nowhere' })
      .preflight();
    expect(other.map(({ id }) => id)).toEqual(['jailer', 'firecracker_double', 'images']);
  });
});
