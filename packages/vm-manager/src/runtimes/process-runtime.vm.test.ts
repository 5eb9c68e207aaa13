/** The runtime `process` on this machine: the suite of every runtime, then what it promises beyond it, as root and as an ordinary user. */
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand, tryCommand } from '../system/run-command.ts';
import type { Runtime } from '../runtime.ts';
import { describeRuntime } from '../runtime.conformance.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { openProcessBench, type ProcessBench } from '../testing-process-bench.ts';

const isRoot = process.geteuid?.() === 0;
const bench = await openProcessBench();
afterAll(() => bench.close());
// What the VMs of these tests need; no browser and no fonts.
const isAble = await requireAbilities(bench.open(), isRoot ? ['bubblewrap', 'network'] : ['bubblewrap']);

describe.runIf(isAble)(`process, as ${isRoot ? 'root' : 'an ordinary user'}`, () => {
  describeRuntime('process', async () => bench);

  describe('what a VM sees', () => {
    let runtime: Runtime;
    let vmId: string;
    beforeAll(async () => {
      runtime = bench.open();
      vmId = await createUp(bench, runtime, 0);
    });
    afterAll(async () => {
      await runtime.destroy(vmId);
    });
    const ask = (expression: string) => bench.ask(vmId, expression);

    it('is uid 1000 with an empty home, and nothing of our environment', async () => {
      expect(
        await ask(
          '[process.getuid(), process.getgid(), process.getgroups().filter((id) => id < 65534 && id !== 1000)]',
        ),
      ).toEqual([1000, 1000, []]);
      expect(await ask('[os.homedir(), fs.readdirSync(os.homedir()), fs.statSync(os.homedir()).uid]')).toEqual([
        '/home/person',
        [],
        1000,
      ]);
      expect(await ask('os.userInfo().username')).toBe('person');
      expect(await ask('Object.keys(process.env).sort()')).toEqual([
        'HOME',
        'LANG',
        'LOGNAME',
        'PATH',
        'PWD',
        'SHELL',
        'USER',
        'VESTIBULE_AGENT_SOCKET',
        'VESTIBULE_CHROMIUM',
        'VESTIBULE_PACE',
        'VESTIBULE_RFB_SOCKET',
        'VESTIBULE_VM_ID',
      ]);
    });

    it('has no descriptor of its supervisor', async () => {
      const targets =
        'fs.readdirSync("/proc/self/fd").map((fd) => { try { return fs.readlinkSync("/proc/self/fd/" + fd) } catch { return "" } })';
      // Beside stdout and stderr: its listening sockets and the link we ask through.
      const sockets = (await ask(`${targets}.filter((target) => target.startsWith("socket:"))`)) as string[];
      expect(sockets.length).toBe(5);
      expect(await ask(`${targets}[0]`)).toBe('/dev/null');
    });

    it("sees only its own processes, and neither this machine's accounts nor its data", async () => {
      expect(
        ((await ask('fs.readdirSync("/proc").filter((name) => Number(name) > 0)')) as string[]).length,
      ).toBeLessThan(5);
      expect(await ask('fs.readFileSync("/etc/passwd", "utf8").split("\\n").length')).toBe(3);
      expect(
        await ask(
          `["/root", "/home/person/..", "/etc/shadow", ${JSON.stringify(bench.dir)}].map((path) => fs.existsSync(path))`,
        ),
      ).toEqual([false, true, false, false]);
      expect(await ask('os.hostname()')).toBe('vestibule');
      expect(await ask('fs.readFileSync("/etc/machine-id", "utf8")')).not.toBe(readText('/etc/machine-id'));
    });

    it('has our browser policy and none of this machine', async () => {
      expect(await ask('fs.readdirSync("/etc/chromium/policies/managed")')).toEqual(['vestibule.json']);
      expect(await ask('JSON.parse(fs.readFileSync("/etc/chromium/policies/managed/vestibule.json", "utf8"))')).toEqual(
        { IncognitoModeAvailability: 1 },
      );
      expect(existsSync('/etc/chromium/policies/managed/vestibule.json')).toBe(false);
    });

    it.each(['/x', '/usr/x', '/etc/x', '/opt/vestibule/x', '/opt/vestibule/agent/x', '/opt/vestibule/bin/node'])(
      'cannot write to %s',
      async (path) => {
        expect(await ask(`fs.writeFileSync(${JSON.stringify(path)}, "")`)).toMatch(
          /^failed: E(ROFS|ACCES|PERM|TXTBSY)/,
        );
      },
    );

    it.each(['/tmp/x', '/dev/shm/x', '/home/person/x', '/run/vestibule/x'])('can write to %s', async (path) => {
      expect(await ask(`fs.writeFileSync(${JSON.stringify(path)}, "")`)).toBeNull();
    });

    it('has no privilege to gain', async () => {
      const status = (await ask('fs.readFileSync("/proc/self/status", "utf8")')) as string;
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(status).toMatch(/^CapBnd:\t0+$/m);
    });
  });

  describe('what a hostile VM cannot do', () => {
    const runtime = bench.open();
    const created: string[] = [];
    afterEach(async () => {
      await Promise.all(created.splice(0).map((vmId) => runtime.destroy(vmId)));
    });
    async function create(slot = 0): Promise<string> {
      const vmId = await createUp(bench, runtime, slot);
      created.push(vmId);
      return vmId;
    }

    it('have us dial another socket of this machine by putting a symlink in the place of its own', async () => {
      const secret = join(bench.dir, 'docker.sock');
      const server = createServer((socket) => socket.end('the keys of the house')).listen(secret);
      await once(server, 'listening');
      const vmId = await create();
      await bench.ask(
        vmId,
        `fs.unlinkSync("/run/vestibule/rfb.sock"), fs.symlinkSync(${JSON.stringify(secret)}, "/run/vestibule/rfb.sock")`,
      );
      await expect(runtime.connect(vmId, 'display')).rejects.toThrow(/not a socket|ELOOP/);
      server.close();
    });

    it('have us follow a symlink out of its folder when it is destroyed', async () => {
      const bystander = join(bench.dir, 'bystander');
      writeFileSync(bystander, 'stays');
      const vmId = await create();
      await bench.ask(
        vmId,
        `fs.symlinkSync(${JSON.stringify(bench.dir)}, "/run/vestibule/dir"), fs.symlinkSync(${JSON.stringify(bystander)}, "/run/vestibule/file")`,
      );
      await runtime.destroy(vmId);
      expect(readText(bystander)).toBe('stays');
    });

    it('fill the disk with what it prints', async () => {
      const vmId = await create();
      await bench.ask(
        vmId,
        'new Promise((done) => process.stdout.write("x".repeat(5e6) + "the last line\\n", () => done(1)))',
      );
      await runtime.destroy(vmId);
      const log = join(bench.dir, 'logs', `${vmId}.log`);
      expect(statSync(log).size).toBeLessThanOrEqual(1024 * 1024 + 100);
      expect(readText(log)).toMatch(/^\[older output was dropped\]|x+/);
      expect(readText(log).endsWith('the last line\n')).toBe(true);
    });

    it('go on when its supervisor is killed at any moment of its start', async () => {
      const before = await bench.traces();
      for (let round = 0; round < 15; round += 1) {
        const vmId = bench.newVmId();
        created.push(vmId);
        await runtime.create({ vmId, slot: 0, layer: null, epoch: 1 });
        await delay(round * 8);
        await bench.killSupervisor(vmId);
        await vi.waitFor(async () => expect(await runtime.inspect(vmId)).toMatchObject({ state: 'exited' }));
        expect(await runtime.destroy(vmId)).toMatchObject({ exitCode: null, reason: 'vanished with its supervisor' });
        expect(await bench.traces()).toEqual(before);
      }
    });
  });

  it('says in preflight that the kernel is shared, and what is missing with the command that helps', async () => {
    const requirements = await bench
      .open({ chromiumPath: '/nowhere/chromium', supervisorEntry: '/nowhere/supervisor.mjs' })
      .preflight();
    expect(requirements).toContainEqual(expect.objectContaining({ id: 'shared_kernel', severity: 'notice' }));
    expect(requirements).toContainEqual(
      expect.objectContaining({
        id: 'chromium',
        severity: 'missing',
        hint: expect.stringContaining('VESTIBULE_BROWSER') as string,
      }),
    );
    expect(requirements).toContainEqual(
      expect.objectContaining({ id: 'build', severity: 'missing', hint: 'npm run build' }),
    );
  });

  it('says in preflight when a sandbox cannot really be made, though bubblewrap is installed', async () => {
    const [found] = (await bench.open({ agentDir: '/nowhere' }).preflight()).filter(({ id }) => id === 'bubblewrap');
    expect(found).toMatchObject({ severity: 'missing', title: expect.stringContaining('/nowhere') as string });
  });

  it('says why a VM could not be started, and leaves nothing of it', async () => {
    const before = await bench.traces();
    const vmId = bench.newVmId();
    const runtime = bench.open({ nodePath: '/nowhere/node' });
    await expect(runtime.create({ vmId, slot: 0, layer: null, epoch: 1 })).rejects.toThrow(/starting vm_.*nowhere/);
    expect(await runtime.inspect(vmId)).toEqual({ state: 'missing' });
    expect(await bench.traces()).toEqual(before);
  });

  it.runIf(isRoot)('leaves no packet filter when its last VMs are destroyed at once', async () => {
    const before = await bench.traces();
    const runtime = bench.open();
    const vmIds = [bench.newVmId(), bench.newVmId()];
    for (const [slot, vmId] of vmIds.entries()) await runtime.create({ vmId, slot, layer: null, epoch: 1 });
    await Promise.all(vmIds.map((vmId) => runtime.destroy(vmId)));
    expect(await bench.traces()).toEqual(before);
  });

  it.runIf(isRoot)('takes away the packet filter that a crash left, when its VM is destroyed again', async () => {
    const before = await bench.traces();
    await runCommand(['nft', 'add', 'table', 'inet', `vestibule_${bench.installationId}`]);
    await bench.open().destroy(bench.newVmId());
    expect(await bench.traces()).toEqual(before);
  });

  it.each(['../../etc', 'vm_other_1', ''])('refuses %j as the id of a VM', async (vmId) => {
    const runtime = bench.open();
    await expect(runtime.destroy(vmId)).rejects.toThrow(/not the id of a VM/);
    await expect(runtime.create({ vmId, slot: 0, layer: null, epoch: 1 })).rejects.toThrow(/not the id of a VM/);
  });

  it.runIf(isRoot)(
    'passes all of this as an ordinary user, too',
    async (context) => {
      const root = fileURLToPath(new URL('../../../../', import.meta.url));
      const vitest = join(root, 'node_modules/vitest/vitest.mjs');
      const asUser = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups'];
      const canRead = await tryCommand([...asUser, 'test', '-r', vitest]);
      if (canRead.exitCode !== 0) return context.skip(`${root} cannot be read by other users`);
      const argv = [
        ...asUser,
        process.execPath,
        vitest,
        'run',
        '--configLoader',
        'runner',
        '--project',
        'vm',
        fileURLToPath(import.meta.url),
      ];
      const result = await tryCommand(argv, { timeoutMs: 110_000, cwd: root });
      if (result.exitCode !== 0) throw new Error(result.stdout + result.stderr);
      expect(result.stdout).toMatch(/Tests .*passed/);
    },
    120_000,
  );
});

async function createUp(bench: ProcessBench, runtime: Runtime, slot: number): Promise<string> {
  const vmId = bench.newVmId();
  await runtime.create({ vmId, slot, layer: null, epoch: 1 });
  await vi.waitFor(async () => (await runtime.connect(vmId, 'agent')).destroy(), { timeout: 15_000, interval: 10 });
  return vmId;
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
