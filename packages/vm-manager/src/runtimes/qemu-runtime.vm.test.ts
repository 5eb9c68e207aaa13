/** The runtime `qemu` on this machine: the suites of every runtime, then what it promises beyond them. Minutes without KVM. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { findQemuProcess } from '../qemu/qemu-process.ts';
import type { Runtime } from '../runtime.ts';
import { describeRuntime } from '../runtime.conformance.ts';
import { describeLimits } from '../runtime.limits.conformance.ts';
import { describeNetworkPolicy } from '../runtime.network.conformance.ts';
import { signalProcess } from '../system/process-identity.ts';
import { requireAbilities } from '../testing-abilities.ts';
import { openQemuBench, QEMU_ABILITIES } from '../testing-qemu-bench.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

const bench = await openQemuBench();
afterAll(() => bench.close());
const isAble = await requireAbilities(bench.open(), QEMU_ABILITIES);

describe.runIf(isAble)('qemu', () => {
  describeRuntime('qemu', async () => bench);
  describeNetworkPolicy('qemu', async () => bench);
  describeLimits('qemu', async () => bench);

  describe('what a machine sees', () => {
    let runtime: Runtime;
    let vmId: string;
    const layerDir = join(bench.dir, 'layer');
    beforeAll(async () => {
      mkdirSync(join(layerDir, 'bin'), { recursive: true });
      writeFileSync(join(layerDir, 'bin', 'cli'), 'echo the CLI ran\n', { mode: 0o755 });
      runtime = bench.open({ extraAuthorities: 'NOT REALLY PEM\n' });
      vmId = await createUp(runtime, layerDir);
    });
    afterAll(async () => {
      await runtime.destroy(vmId);
    });
    const ask = (expression: string) => bench.ask(vmId, expression);

    it('is uid 1000 with an empty home, no capability and no way to get one, and nothing of our environment', async () => {
      expect(await ask('[process.getuid(), process.getgid(), process.getgroups()]')).toEqual([1000, 1000, [1000]]);
      expect(await ask('[os.userInfo().username, os.homedir(), fs.readdirSync(os.homedir())]')).toEqual([
        ...['person', '/home/person', []],
      ]);
      const status = (await ask('fs.readFileSync("/proc/self/status", "utf8")')) as string;
      expect(status).toMatch(/^CapBnd:\t0{16}$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(await ask('Object.keys(process.env).sort()')).toEqual(
        expect.arrayContaining(['HOME', 'NODE_EXTRA_CA_CERTS', 'PATH', 'VESTIBULE_PACE', 'VESTIBULE_VM_ID']),
      );
      expect(
        await ask('Object.keys(process.env).filter((name) => /^(TEST|REQUIRE|VITEST|NODE_ENV)/.test(name))'),
      ).toEqual([]);
    });

    it("has a kernel of its own, its CLI, its authorities and the browser's policy", async () => {
      expect(await ask('fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8")')).not.toBe(
        readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'),
      );
      const cli = 'new Promise((done) => execFile("sh", ["/opt/vestibule/layer/bin/cli"], (error, out) => done(out)))';
      expect(await ask(cli)).toBe('the CLI ran\n');
      expect(await ask('fs.readFileSync(process.env.NODE_EXTRA_CA_CERTS, "utf8")')).toBe('NOT REALLY PEM\n');
      expect(
        await ask('JSON.parse(fs.readFileSync("/etc/chromium/policies/managed/vestibule.json", "utf8"))'),
      ).toMatchObject({ IncognitoModeAvailability: 1 });
    });

    it('may make namespaces of its own, as the sandbox of Chromium does', async () => {
      const id =
        'new Promise((done) => execFile("unshare", ["--user", "--map-root-user", "id", "-u"], (error, out) => done(out)))';
      expect(await ask(id)).toBe('0\n');
    });

    it('writes to memory alone, as much as its limits say: no drive can be written to', async () => {
      const write = (path: string) =>
        `fs.promises.writeFile("${path}", "x").then(() => "written", (error) => error.code)`;
      expect(await ask(write('/etc/hosts'))).toBe('EROFS');
      expect(await ask(write('/opt/vestibule/layer/bin/cli'))).toBe('EROFS');
      expect(
        await ask(
          'fs.readdirSync("/sys/block").filter((name) => name.startsWith("vd")).map((name) => fs.readFileSync(`/sys/block/${name}/ro`, "utf8").trim())',
        ),
      ).toEqual(['1', '1', '1']);
      const fill = (path: string) =>
        `fs.promises.writeFile("${path}", Buffer.alloc(200 * 1024 * 1024)).then(() => "written", (error) => error.code)`;
      expect(await ask(fill('/home/person/big'))).toBe('ENOSPC');
      expect(await ask('fs.promises.rm("/home/person/big")')).toBeNull();
    });

    it('carries many connections at once, each whole, and one that nobody reads holds up no other', async () => {
      const serve = `new Promise((done) => net.createServer((socket) => {
        socket.on("error", () => undefined).end(Buffer.alloc(4 * 1024 * 1024, 120)); }).listen("/run/vestibule/rfb2.sock", () => done("up")))`;
      expect(await ask(serve.replaceAll('\n', ' '))).toBe('up');
      expect(await ask('fs.promises.rename("/run/vestibule/rfb2.sock", "/run/vestibule/rfb.sock")')).toBeNull();
      const idle = await runtime.connect(vmId, 'display');
      idle.pause();
      const sizes = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const stream = await runtime.connect(vmId, 'display');
          let bytes = 0;
          stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
          await once(stream, 'end');
          return bytes;
        }),
      );
      expect(sizes).toEqual(Array<number>(4).fill(4 * 1024 * 1024));
      expect(await ask('"still here"')).toBe('still here');
      idle.destroy();
    });

    it('is reached again after what carries its channels was killed', async () => {
      const link = await runtime.connect(vmId, 'agent');
      const closed = once(link.resume(), 'close');
      expect(await ask('fs.promises.writeFile("/tmp/end-bridge", "")')).toBeNull();
      await closed;
      await vi.waitFor(async () => expect(await ask('"again"')).toBe('again'), { timeout: 180_000, interval: 100 });
    });
  });

  describe('the end of a machine', () => {
    const runtime = bench.open();
    const created: string[] = [];
    afterEach(async () => {
      await Promise.all(created.splice(0).map((vmId) => runtime.destroy(vmId)));
    });
    async function create(): Promise<string> {
      const vmId = await createUp(runtime, null);
      created.push(vmId);
      return vmId;
    }

    it("is told in words when the guest's own end says nothing of its agent", async () => {
      const vmId = await create();
      const qemu = findQemuProcess(vmId);
      if (qemu === null) throw new Error('no QEMU');
      signalProcess(qemu, 'SIGTERM');
      await vi.waitFor(async () => expect((await runtime.inspect(vmId)).state).toBe('exited'), 60_000);
      expect(await runtime.inspect(vmId)).toMatchObject({
        exit: { exitCode: null, signal: null, reason: 'QEMU was asked to end by a signal from this machine' },
      });
    });
  });
});

async function createUp(runtime: Runtime, layerDir: string | null): Promise<string> {
  const vmId = bench.newVmId();
  await runtime.create({ vmId, slot: 0, layer: layerDir === null ? null : { dir: layerDir }, epoch: 1 });
  await vi.waitFor(() => bench.ask(vmId, '1'), { timeout: 180_000, interval: 50 });
  return vmId;
}
