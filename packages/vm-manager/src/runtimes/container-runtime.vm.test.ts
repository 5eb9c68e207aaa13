/** The runtime `container` with a podman of its own: the suites of every runtime, then what it promises beyond them. As root. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loginPlanSchema } from '@vestibule/protocol/agent-messages';
import { CONTAINER_INIT } from '../container/container-guest.ts';
import { AgentClient } from '../fake/testing-agent-client.ts';
import type { Runtime } from '../runtime.ts';
import { describeRuntime } from '../runtime.conformance.ts';
import { describeLimits } from '../runtime.limits.conformance.ts';
import { describeNetworkPolicy } from '../runtime.network.conformance.ts';
import { isAlive } from '../system/process-identity.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { openContainerBench } from '../testing-container-bench.ts';
import { TEST_IMAGES_DIR } from '../testing-images-dir.ts';

const SOON = { timeout: 30_000, interval: 20 };

const bench = await openContainerBench(TEST_IMAGES_DIR);
afterAll(() => bench.close());
const isAble = await requireAbilities(bench.open(), [
  ...['root', 'container_engine', 'image', 'container', 'browser_sandbox', 'limits', 'network'],
]);

describe.runIf(isAble)('container', () => {
  describeRuntime('container', async () => bench);
  describeLimits('container', async () => bench);
  describeNetworkPolicy('container', async () => bench);

  const created: string[] = [];
  async function createUp(runtime: Runtime, slot = 0): Promise<string> {
    const vmId = bench.newVmId();
    created.push(vmId);
    await runtime.create({ vmId, slot, layer: null, epoch: 1 });
    await vi.waitFor(async () => (await runtime.connect(vmId, 'agent')).destroy(), SOON);
    return vmId;
  }
  async function untilExited(runtime: Runtime, vmId: string) {
    return vi.waitFor(async () => {
      const found = await runtime.inspect(vmId);
      if (found.state !== 'exited') throw new Error(`${vmId} is ${found.state}`);
      return found.exit;
    }, SOON);
  }

  describe('what a VM sees', () => {
    let runtime: Runtime;
    let vmId: string;
    beforeAll(async () => {
      runtime = bench.open();
      vmId = await createUp(runtime);
    });
    afterAll(async () => {
      await runtime.destroy(vmId);
    });
    const ask = (expression: string) => bench.ask(vmId, expression);

    it('is a user of its own with an empty home in memory, and nothing of our environment', async () => {
      const { uid } = statSync(`/proc/${bench.agentOf(vmId).pid}`);
      expect(uid).toBeGreaterThan(50_000);
      expect(await ask('[process.getuid(), process.getgid(), process.getgroups()]')).toEqual([uid, uid, [uid]]);
      expect(await ask('[os.homedir(), fs.readdirSync(os.homedir()), fs.statSync(os.homedir()).uid]')).toEqual([
        '/home/person',
        [],
        uid,
      ]);
      expect(await ask('[os.userInfo().username, os.hostname(), process.cwd()]')).toEqual([
        'person',
        'vestibule',
        '/home/person',
      ]);
      const mounts = (await ask('fs.readFileSync("/proc/mounts", "utf8")')) as string;
      expect(mounts).toMatch(/^\S+ \/home\/person tmpfs rw,nosuid,nodev,/m);
      expect(mounts).toMatch(/^\S+ \/ overlay ro,/m);
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

    it('has no privilege to gain, none of the capabilities but one in the set that bounds it, and a system call filter', async () => {
      const status = (await ask('fs.readFileSync("/proc/self/status", "utf8")')) as string;
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(status).toMatch(/^Seccomp:\t2$/m);
      for (const set of ['Inh', 'Prm', 'Eff', 'Amb']) expect(status).toMatch(new RegExp(`^Cap${set}:\\t0+$`, 'm'));
      // CAP_SYS_CHROOT is number 18.
      expect(status).toMatch(/^CapBnd:\t0+40000$/m);
    });

    it.each([
      '/x',
      '/usr/x',
      '/etc/x',
      '/opt/vestibule/x',
      '/run/x',
      '/run/supervisor/x',
      '/run/supervisor/lifeline',
      '/home/x',
    ])('cannot write to %s', async (path) => {
      expect(await ask(`fs.writeFileSync(${JSON.stringify(path)}, "")`)).toMatch(/^failed: E(ROFS|ACCES|PERM)/);
    });

    it.each(['/tmp/x', '/dev/shm/x', '/home/person/x', '/run/vestibule/x'])('can write to %s', async (path) => {
      expect(await ask(`fs.writeFileSync(${JSON.stringify(path)}, "")`)).toBeNull();
    });

    it('has our browser policy, its own machine id, and no more processes than its own', async () => {
      expect(await ask('JSON.parse(fs.readFileSync("/etc/chromium/policies/managed/vestibule.json", "utf8"))')).toEqual(
        {
          IncognitoModeAvailability: 1,
        },
      );
      expect(await ask('fs.readFileSync("/etc/machine-id", "utf8")')).not.toBe(readText('/etc/machine-id'));
      expect(
        ((await ask('fs.readdirSync("/proc").filter((name) => Number(name) > 0)')) as string[]).length,
      ).toBeLessThan(5);
    });
  });

  describe('ends', () => {
    const runtime = bench.open();
    afterEach(async () => {
      await Promise.all(created.splice(0).map((vmId) => runtime.destroy(vmId)));
    });

    it('at its memory limit, and says so in words', async () => {
      const small = bench.open({ limits: { memoryMib: 160, pids: 200, cpus: 1, diskMib: 64 } });
      const vmId = await createUp(small);
      // Memory of the agent itself, which the kernel takes for the largest process.
      const link = await small.connect(vmId, 'agent');
      link.resume().write('(() => { const all = []; for (;;) all.push(Buffer.alloc(8e6, 1)); })()\n');
      const exit = await untilExited(small, vmId);
      expect(exit).toMatchObject({
        exitCode: 137,
        reason: 'killed: it used more than 160 MiB of memory',
      });
    });

    it('with its process 1, killed from outside', async () => {
      const before = await bench.traces();
      const vmId = await createUp(runtime);
      const agent = bench.agentOf(vmId);
      const parent = Number(/^PPid:\s+(\d+)$/m.exec(readText(`/proc/${agent.pid}/status`))?.[1]);
      expect(parent).toBeGreaterThan(1);
      process.kill(parent, 'SIGKILL');
      expect(await untilExited(runtime, vmId)).toMatchObject({ exitCode: 137 });
      expect(isAlive(agent)).toBe(false);
      await runtime.destroy(vmId);
      expect(await bench.traces()).toEqual(before);
    });

    it('at whatever moment of its start its supervisor is killed', async () => {
      const before = await bench.traces();
      for (const waitMs of [0, 30, 80, 150, 300, 600]) {
        const vmId = bench.newVmId();
        created.push(vmId);
        await runtime.create({ vmId, slot: 0, layer: null, epoch: 1 });
        await delay(waitMs);
        await bench.killSupervisor(vmId);
        await vi.waitFor(async () => expect(await runtime.inspect(vmId)).toMatchObject({ state: 'exited' }), SOON);
        expect(await runtime.destroy(vmId)).toMatchObject({ reason: 'vanished with its supervisor' });
        expect(await bench.traces()).toEqual(before);
      }
    });
  });

  describe('a container engine that dies', () => {
    const runtime = bench.open();
    afterEach(async () => {
      await Promise.all(created.splice(0).map((vmId) => runtime.destroy(vmId)));
    });

    it('takes no VM along: they go on, can be reached, log and end as ever', async () => {
      const before = await bench.traces();
      const [staying, ending] = [await createUp(runtime, 0), await createUp(runtime, 1)];
      await bench.podman.restart();
      expect(await bench.ask(staying, '1 + 1')).toBe(2);
      expect((await runtime.list()).toSorted()).toEqual([staying, ending].toSorted());
      await bench.ask(ending, 'new Promise((done) => process.stdout.write("after the restart\\n", () => done(1)))');
      await bench.exitWith(ending, 9);
      expect(await untilExited(runtime, ending)).toMatchObject({ exitCode: 9, reason: 'exited with code 9' });
      await runtime.destroy(ending);
      expect(readText(join(bench.dir, 'logs', `${ending}.log`))).toContain('after the restart');
      expect(await runtime.destroy(staying)).toMatchObject({ exitCode: 1 });
      expect(await bench.traces()).toEqual(before);
    });

    it('and was away when a VM ended, is asked again how', async () => {
      const vmId = await createUp(runtime);
      await bench.podman.stop();
      await bench.exitWith(vmId, 6);
      await delay(300);
      expect(await runtime.inspect(vmId)).toEqual({ state: 'running' });
      await bench.podman.restart();
      expect(await untilExited(runtime, vmId)).toMatchObject({ exitCode: 6 });
    });

    it('keeps a VM from being gone, whose processes have ended, until it is back', async () => {
      const before = await bench.traces();
      const vmId = await createUp(runtime);
      const agent = bench.agentOf(vmId);
      await bench.podman.stop();
      await expect(runtime.destroy(vmId)).rejects.toThrow(/container engine at/);
      expect(isAlive(agent)).toBe(false);
      await bench.podman.restart();
      expect(await runtime.list()).toEqual([vmId]);
      await runtime.destroy(vmId);
      expect(await bench.traces()).toEqual(before);
    });
  });

  it('has us dial no other socket of this machine when it puts a symlink in the place of its own', async () => {
    const runtime = bench.open();
    const secret = join(bench.dir, 'docker.sock');
    const server = createServer((socket) => socket.end('the keys of the house')).listen(secret);
    await once(server, 'listening');
    const vmId = await createUp(runtime);
    await bench.ask(
      vmId,
      `fs.unlinkSync("/run/vestibule/rfb.sock"), fs.symlinkSync(${JSON.stringify(secret)}, "/run/vestibule/rfb.sock")`,
    );
    await expect(runtime.connect(vmId, 'display')).rejects.toThrow(/not a socket|ELOOP/);
    server.close();
    await runtime.destroy(vmId);
  });

  it('finds a container of which nothing else is left, and takes it away', async () => {
    const runtime = bench.open();
    const before = await bench.traces();
    const vmId = await createUp(runtime);
    // As when another folder was used, or a disk was lost.
    const elsewhere = bench.open({ vmsDir: join(bench.dir, 'elsewhere') });
    expect(await elsewhere.list()).toEqual([vmId]);
    await bench.engine.removeContainer(vmId);
    // How it ended is known to its supervisor when that asked before the container was removed.
    expect([137, null]).toContain((await untilExited(runtime, vmId)).exitCode);
    await runtime.destroy(vmId);
    expect(await bench.traces()).toEqual(before);
  });

  it('that cannot be created leaves nothing, and says why', async () => {
    const before = await bench.traces();
    const vmId = bench.newVmId();
    const spec = { vmId, slot: 0, layer: null, epoch: 1 };
    for (const [changes, why] of [
      [{ nodePath: '/nowhere/node' }, /starting vm_.*nowhere/],
      [{ ociRuntime: 'no-such-runtime' }, /starting vm_.*no-such-runtime/],
      [{ imagesDir: '/nowhere' }, /starting vm_.*no image/],
    ] as const) {
      await expect(bench.open(changes).create(spec)).rejects.toThrow(why);
      expect(await bench.open().inspect(vmId)).toEqual({ state: 'missing' });
      expect(await bench.traces()).toEqual(before);
    }
  });

  it('that the engine cannot start has ended, and says why', async () => {
    // No program.
    const runtime = bench.open({ overlays: { [CONTAINER_INIT]: join(bench.dir, 'policy.json') } });
    const vmId = bench.newVmId();
    created.push(vmId);
    await runtime.create({ vmId, slot: 0, layer: null, epoch: 1 });
    expect(await untilExited(runtime, vmId)).toMatchObject({
      exitCode: null,
      reason: expect.stringMatching(/^could not be started: .*container-init/) as string,
    });
    await runtime.destroy(vmId);
  });

  it('runs the real agent and a CLI of a layer, and Chromium paints with its own sandbox on', async () => {
    const layerDir = join(bench.dir, 'layer');
    mkdirSync(layerDir);
    writeFileSync(join(layerDir, 'cli'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const runtime = bench.open({ overlays: { [CONTAINER_INIT]: join(bench.dir, 'container-init') } });
    const vmId = bench.newVmId();
    created.push(vmId);
    await runtime.create({ vmId, slot: 0, layer: { dir: layerDir }, epoch: 1 });
    const agent = new AgentClient(await vi.waitFor(() => runtime.connect(vmId, 'agent'), SOON));
    agent.claim(
      loginPlanSchema.parse({
        provider: 'demo',
        program: '/opt/vestibule/layer/cli',
        login: { url: { from: ['browser_shim'], pattern: '^https://' } },
        success: { when: 'exit_zero' },
        credential: { files: [{ path: '.demo/auth.json', format: 'text' }] },
      }),
    );
    const ready = ['display', 'browser', 'cli'];
    await vi.waitFor(
      () => {
        const told = agent.received.flatMap((message) =>
          message.type === 'capability' && message.ready ? [message.name] : [],
        );
        if (!ready.every((name) => told.some((found) => found === name)))
          throw new Error(`ready: ${told.join(', ')}; told: ${agent.received.map(({ type }) => type).join(', ')}`);
      },
      { timeout: 60_000, interval: 50 },
    );
    expect((await readOnce(await runtime.connect(vmId, 'display'))).toString()).toBe('RFB 003.008\n');
    const processes = findProcesses(bench.agentOf(vmId).pid);
    expect(processes.filter(({ argv }) => argv.includes('--no-sandbox'))).toEqual([]);
    const renderers = processes.filter(({ argv }) => argv.startsWith('/usr/lib/chromium/chromium --type=renderer'));
    expect(renderers.length).toBeGreaterThan(0);
    // Chromium's sandbox: a user namespace of its own, and a filter besides the container's.
    for (const { pid } of renderers) {
      expect(readlinkSync(`/proc/${pid}/ns/user`)).not.toBe(readlinkSync(`/proc/${bench.agentOf(vmId).pid}/ns/user`));
      expect(readText(`/proc/${pid}/status`)).toMatch(/^Seccomp_filters:\t[2-9]$/m);
    }
    agent.close();
    await runtime.destroy(vmId);
  });
});

describe('preflight of container', () => {
  it('names the command that starts an engine, when none answers', async () => {
    const found = await bench.open({ socketPath: '/nowhere/podman.sock' }).preflight();
    expect(found).toContainEqual(
      expect.objectContaining({
        id: 'container_engine',
        severity: 'missing',
        title: expect.stringContaining('/nowhere/podman.sock') as string,
        hint: expect.stringContaining('systemctl enable --now podman.socket') as string,
      }),
    );
  });

  it('names the command that builds an image, when there is none', async () => {
    const found = await bench.open({ imagesDir: '/nowhere' }).preflight();
    expect(found).toContainEqual(expect.objectContaining({ id: 'image', hint: 'vestibule images build' }));
  });

  it('says so when a container cannot really be run, though the engine answers', async () => {
    const found = await bench.open({ ociRuntime: 'no-such-runtime' }).preflight();
    expect(found).toContainEqual(
      expect.objectContaining({
        id: 'container',
        title: expect.stringContaining('no-such-runtime') as string,
        hint: expect.stringContaining('[engine] runtime =') as string,
      }),
    );
  });

  it('refuses as the browser one that is not there or lies where the image has its own', async () => {
    for (const chromiumPath of ['/nowhere/chrome', '/usr/bin/env']) {
      const found = await bench.open({ chromiumPath }).preflight();
      expect(found).toContainEqual(expect.objectContaining({ id: 'chromium', severity: 'missing' }));
    }
  });
});

/** A process and all that descend from it. */
function findProcesses(pid: number): { pid: number; argv: string }[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  return [{ pid, argv: readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ') }, ...children.flatMap(findProcesses)];
}

async function readOnce(stream: Duplex): Promise<Buffer> {
  const [bytes] = (await once(stream, 'data')) as [Buffer];
  stream.destroy();
  return bytes;
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
