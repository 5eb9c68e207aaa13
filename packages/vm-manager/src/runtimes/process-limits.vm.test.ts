/** What a VM of the runtime `process` may use: the suite of every runtime, then what the kernel's control groups promise beyond it, as root. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { describeLimits } from '../runtime.limits.conformance.ts';
import type { Runtime } from '../runtime.ts';
import { parseCgroupTrees } from '../system/cgroup-mounts.ts';
import { tryCommand } from '../system/run-command.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { openProcessBench } from '../testing-process-bench.ts';

const isRoot = process.geteuid?.() === 0;
const bench = await openProcessBench();
afterAll(() => bench.close());
const isAble = await requireAbilities(bench.open(), isRoot ? ['bubblewrap', 'network'] : ['bubblewrap']);
const hasGroups = isRoot && !(await bench.open().preflight()).some(({ id }) => id === 'limits');
if (isRoot && !hasGroups) console.warn('skipped: no control groups can be made here');

describe.runIf(isAble && (hasGroups || !isRoot))(`process, as ${isRoot ? 'root' : 'an ordinary user'}`, () => {
  // An ordinary user cannot mount, and the folder of the sockets is on the disk.
  describeLimits('process', async () => ({ ...bench, unboundedFolders: isRoot ? [] : ['/run/vestibule'] }));
});

it('says in preflight what is not bounded', async () => {
  const found = (await bench.open().preflight()).map(({ id }) => id);
  expect([found.includes('limits'), found.includes('shared_network')]).toEqual([!hasGroups, !isRoot]);
});

it.runIf(isRoot && isAble)('holds this as an ordinary user, too', { timeout: 180_000 }, async (context) => {
  const root = fileURLToPath(new URL('../../../../', import.meta.url));
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const asUser = ['setpriv', '--reuid=54322', '--regid=54322', '--clear-groups'];
  if ((await tryCommand([...asUser, 'test', '-r', vitest])).exitCode !== 0)
    return context.skip(`${root} cannot be read by other users`);
  const options = ['run', '--configLoader', 'runner', '--project', 'vm', fileURLToPath(import.meta.url)];
  const result = await tryCommand([...asUser, process.execPath, vitest, ...options], { timeoutMs: 170_000, cwd: root });
  if (result.exitCode !== 0) throw new Error(result.stdout + result.stderr);
  expect(result.stdout).toMatch(/Tests .*passed/);
});

describe.runIf(isAble && hasGroups)('a control group', () => {
  const created: string[] = [];
  let runtime: Runtime = bench.open();
  afterEach(async () => {
    for (const vmId of created.splice(0)) await runtime.destroy(vmId);
  });
  async function createUp(limits: { memoryMib: number; pids: number; cpus: number; diskMib: number }): Promise<string> {
    runtime = bench.open({ limits });
    const vmId = bench.newVmId();
    created.push(vmId);
    await runtime.create({ vmId, slot: 0, layer: null, epoch: 1 });
    await vi.waitFor(async () => (await runtime.connect(vmId, 'agent')).destroy(), { timeout: 15_000, interval: 10 });
    return vmId;
  }
  /** In whichever tree it is. */
  function readGroup(vmId: string, name: string): string {
    const trees = parseCgroupTrees(readFileSync('/proc/self/mountinfo', 'utf8'));
    const paths = trees.map(({ dir }) => join(dir, `vestibule_${bench.installationId}`, vmId, name));
    return readFileSync(paths.find((path) => existsSync(path)) ?? '', 'utf8');
  }

  it('tells in words that a VM used too much memory', async () => {
    const vmId = await createUp({ memoryMib: 256, pids: 200, cpus: 1, diskMib: 64 });
    const hog = `(() => { const held = []; for (let i = 0; i < 1024; i += 1) held.push(Buffer.alloc(1048576, 1)); return held.length; })()`;
    await bench.ask(vmId, hog).catch(() => null);
    const exit = await vi.waitFor(
      async () => {
        const found = await runtime.inspect(vmId);
        if (found.state !== 'exited') throw new Error(found.state);
        return found.exit;
      },
      { timeout: 30_000, interval: 20 },
    );
    expect(exit).toMatchObject({ exitCode: 137, reason: 'killed: it used more than 256 MiB of memory' });
  });

  it('bounds memory of all processes together, and files in memory with them', async () => {
    const vmId = await createUp({ memoryMib: 256, pids: 200, cpus: 1, diskMib: 512 });
    const fill = `(() => { const part = Buffer.alloc(1048576, 1); for (let i = 0; i < 200; i += 1) fs.appendFileSync("/tmp/filler" , part); return 200; })()`;
    expect(await bench.ask(vmId, fill)).toBe(200);
    const hog = `new Promise((done) => spawn(process.execPath, ["-e", "const held = []; for (let i = 0; i < 150; i += 1) held.push(Buffer.alloc(1048576, 1)); process.exit(7)"]).on("exit", (code, signal) => done(signal ?? code)))`;
    expect(await bench.ask(vmId, hog).catch(() => 'SIGKILL')).toBe('SIGKILL');
  });

  it('bounds the processor time', async () => {
    const vmId = await createUp({ memoryMib: 256, pids: 200, cpus: 0.2, diskMib: 64 });
    await bench.ask(
      vmId,
      '(() => { const end = process.cpuUsage().user + 500000; while (process.cpuUsage().user < end); return 1; })()',
    );
    expect(Number(/^nr_throttled (\d+)$/m.exec(readGroup(vmId, 'cpu.stat'))?.[1])).toBeGreaterThan(0);
  });

  it('has every process of a VM in its group, and its supervisor outside', async () => {
    const vmId = await createUp({ memoryMib: 256, pids: 200, cpus: 1, diskMib: 64 });
    const members = readGroup(vmId, 'cgroup.procs').trim().split('\n');
    const said = members.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    // bubblewrap twice with a first process each time, and the agent.
    expect(said.some((argv) => argv.includes('agent.mjs'))).toBe(true);
    expect(said.some((argv) => argv.includes('supervisor.mjs'))).toBe(false);
    const { supervisor, machine } = JSON.parse(readFileSync(join(bench.vmsDir, vmId, 'supervisor.json'), 'utf8')) as {
      supervisor: { pid: number };
      machine: { pid: number };
    };
    expect(members).toContain(String(machine.pid));
    const ofSupervisor = readFileSync(`/proc/${supervisor.pid}/cgroup`, 'utf8');
    expect(ofSupervisor).toBe(readFileSync('/proc/self/cgroup', 'utf8'));
  });

  it('leaves no core dump and no way to raise what it may use', async () => {
    const vmId = await createUp({ memoryMib: 256, pids: 200, cpus: 1, diskMib: 64 });
    expect(await bench.ask(vmId, 'fs.readFileSync("/proc/self/limits", "utf8")')).toMatch(/^Max core file size +0 +0/m);
    const groups = '["memory", "pids", "unified", ""].map((name) => fs.existsSync("/sys/fs/cgroup/" + name))';
    expect(await bench.ask(vmId, groups)).toEqual([false, false, false, false]);
  });
});
