/**
 * What one VM may take of its host, tried from inside of it by a memory hog, a fork bomb and a disk filler, each of which would take several times the
 * limit. Meanwhile another VM of the installation must go on answering, and this machine keep what it has.
 */
import { readdirSync } from 'node:fs';
import { freemem } from 'node:os';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Runtime } from './runtime.ts';
import { runCommand } from './system/run-command.ts';
import type { VmLimits } from './vm/vm-limits.ts';

export type LimitsBench = {
  open(changes?: { limits?: VmLimits }): Runtime;
  newVmId(): string;
  /** Has the stub agent evaluate an expression inside the VM and returns its value. */
  ask(vmId: string, expression: string): Promise<unknown>;
  /** Of this machine's disks and memory file systems, what the VM's folders and drives take now. */
  diskMibOf(vmId: string): Promise<number>;
  /** The smallest with which a VM of this kind is comfortable. Default: 512 MiB, 200 processes, 1 core, 64 MiB to write. */
  limits?: VmLimits;
  /** Whether the number of processes is bounded for each VM, rather than by its own kernel's memory. Default: yes. */
  hasProcessLimit?: boolean;
  /** Folders in the VM that are not bounded, where a runtime can only say so. Default: none. */
  unboundedFolders?: readonly string[];
};

/** And what might be, by mistake. */
const WRITABLE_FOLDERS = ['/home/person', '/tmp', '/var/tmp', '/dev/shm', '/dev', '/run', '/run/vestibule', '/'];
const UP = { timeout: 120_000, interval: 50 };
const SMALL: VmLimits = { memoryMib: 512, pids: 200, cpus: 1, diskMib: 64 };
/** How many times its limit each tries to take. */
const GREED = 4;
const MIB = 1024 * 1024;
/** What other work on this machine may take or give back during a test. */
const NOISE_MIB = 1024;
const NOISE_PROCESSES = 300;

export function describeLimits(name: string, openBench: () => Promise<LimitsBench>): void {
  describe(`what a VM of the runtime ${name} may use`, () => {
    let bench: LimitsBench;
    let runtime: Runtime;
    let limits: VmLimits;
    const created: string[] = [];

    beforeAll(async () => {
      bench = await openBench();
      limits = bench.limits ?? SMALL;
      runtime = bench.open({ limits });
    });
    afterEach(async () => {
      for (const vmId of created.splice(0)) await runtime.destroy(vmId);
    });

    async function createUp(slot: number): Promise<string> {
      const vmId = bench.newVmId();
      created.push(vmId);
      await runtime.create({ vmId, slot, layer: null, epoch: 1 });
      await vi.waitFor(async () => (await runtime.connect(vmId, 'agent')).destroy(), UP);
      return vmId;
    }

    /** Lets one VM do its worst while another is asked again and again. Resolves to what the first said. */
    async function besideANeighbour(worst: (vmId: string) => Promise<unknown>): Promise<unknown> {
      const [greedy, neighbour] = [await createUp(0), await createUp(1)];
      let isOver = false;
      const said = worst(greedy).finally(() => (isOver = true));
      // A VM that dies of its own greed answers nothing.
      said.catch(() => undefined);
      do expect(await bench.ask(neighbour, '1 + 1')).toBe(2);
      while (!isOver);
      expect(await bench.ask(neighbour, runInside('/bin/true'))).toBe('ended 0');
      await runCommand(['true']);
      return said;
    }

    it('memory: a hog is ended before it has more than the VM may have', async () => {
      const before = freemem();
      let least = before;
      const watch = setInterval(() => (least = Math.min(least, freemem())), 50);
      const said = await besideANeighbour((vmId) => bench.ask(vmId, toHog(limits.memoryMib * GREED)));
      clearInterval(watch);
      const held = Number(/^held (\d+)/.exec(String(said))?.[1]);
      expect(held).toBeGreaterThan(0);
      expect(said).not.toContain('all of it');
      expect(held).toBeLessThan(limits.memoryMib);
      expect((before - least) / MIB).toBeLessThan(limits.memoryMib * 2 + NOISE_MIB);
    });

    it('processes: a fork bomb is bounded, and ends with its VM', async () => {
      const before = countProcesses();
      const tried = limits.pids * GREED;
      const said = await besideANeighbour((vmId) => bench.ask(vmId, toForkBomb(tried)));
      const started = Number(/^started (\d+)/.exec(String(said))?.[1]);
      expect(started).toBeGreaterThan(0);
      if (bench.hasProcessLimit ?? true) expect(started).toBeLessThan(limits.pids);
      expect(countProcesses() - before).toBeLessThan(limits.pids + NOISE_PROCESSES);
      for (const vmId of created.splice(0)) await runtime.destroy(vmId);
      expect(await runtime.list()).toEqual([]);
    });

    it('disk: what is written is bounded, wherever it is written', async () => {
      let onHost = 0;
      const said = await besideANeighbour(async (vmId) => {
        const answer = await bench.ask(vmId, toDiskFiller(limits.diskMib * GREED, bench.unboundedFolders ?? []));
        onHost = await bench.diskMibOf(vmId);
        return answer;
      });
      const written = said as Record<string, { mib: number; end: string }>;
      expect(written['/home/person']?.mib).toBeGreaterThan(0);
      for (const [folder, { mib, end }] of Object.entries(written)) {
        expect({ folder, isBounded: mib <= limits.diskMib }).toEqual({ folder, isBounded: true });
        expect({ folder, end }).toEqual({
          folder,
          end: expect.stringMatching(/^E(NOSPC|ROFS|ACCES|PERM|NOENT)$/) as string,
        });
      }
      expect(onHost).toBeLessThanOrEqual(limits.diskMib * 1.25 + 8);
    });
  });
}

const countProcesses = (): number => readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).length;

/** An expression for the stub: runs a program of Node in the VM and tells its last line, and how it ended. */
function runNode(program: string): string {
  return `new Promise((done) => {
    let last = ""; const child = spawn(process.execPath, ["-e", ${JSON.stringify(program)}], { stdio: ["ignore", "pipe", "ignore"] });
    child.stdout.on("data", (bytes) => { last = String(bytes).trim().split("\\n").at(-1); });
    child.on("error", (error) => done(error.code));
    child.on("close", (code, signal) => done(last + ", ended " + (signal ?? code))); })`.replaceAll('\n', ' ');
}

function runInside(program: string): string {
  return `new Promise((done) => spawn("${program}").on("error", (error) => done(error.code)).on("exit", (code) => done("ended " + code)))`;
}

/** Touches every page. */
function toHog(mib: number): string {
  return runNode(
    `const held = []; while (held.length < ${mib}) { held.push(Buffer.alloc(${MIB}, 1)); require('node:fs').writeSync(1, 'held ' + held.length + '\\n'); } console.log('held ' + held.length + ', all of it')`,
  );
}

/** Each stays; the first that cannot be started ends the count. */
function toForkBomb(processes: number): string {
  return `new Promise((done) => { let started = 0; const next = () => {
    if (started >= ${processes}) return done("started " + started);
    let child; try { child = spawn("/bin/sleep", ["600"], { stdio: "ignore" }); } catch (error) { return done("started " + started + ", then " + error.code); }
    child.on("error", (error) => done("started " + started + ", then " + error.code)).on("spawn", () => { started += 1; next(); }); };
    next(); })`.replaceAll('\n', ' ');
}

/** One folder after the other, each until it is full; what was written stays. */
function toDiskFiller(mib: number, except: readonly string[]): string {
  const folders = WRITABLE_FOLDERS.filter((folder) => !except.includes(folder));
  return `(() => { const result = {}; const part = Buffer.alloc(${MIB}, 1);
    for (const folder of ${JSON.stringify(folders)}) {
      let written = 0, end = "all of it";
      try { const file = fs.openSync(folder + "/filler", "w"); while (written < ${mib}) { let at = 0; while (at < part.length) at += fs.writeSync(file, part, at); written += 1; } }
      catch (error) { end = error.code; }
      result[folder] = { mib: written, end }; }
    return result; })()`.replaceAll('\n', ' ');
}
