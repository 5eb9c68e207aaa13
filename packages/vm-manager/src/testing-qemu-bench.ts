/** A bench for the runtime `qemu`: real guests of the real image, with a stub in place of the agent, and eyes on what a VM leaves behind. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { findQemuProcess } from './qemu/qemu-process.ts';
import type { Runtime } from './runtime.ts';
import type { RuntimeBench } from './runtime.conformance.ts';
import { createQemuRuntime, type QemuRuntimeOptions } from './runtimes/qemu-runtime.ts';
import { signalProcess } from './system/process-identity.ts';
import { runCommand } from './system/run-command.ts';
import { TEST_IMAGES_DIR } from './testing-images-dir.ts';
import { findTraces } from './testing-traces.ts';
import { GUEST } from './vm/guest.ts';
import { createVmFolders, type SupervisorFact } from './vm/vm-folders.ts';
import { DEFAULT_VM_LIMITS } from './vm/vm-limits.ts';

export type QemuBench = Omit<RuntimeBench, 'open'> & {
  dir: string;
  open(changes?: Partial<QemuRuntimeOptions>): Runtime;
  /** Has the stub evaluate an expression inside the VM and returns its value. */
  ask(vmId: string, expression: string): Promise<unknown>;
  guestNetwork(): null;
  /** Of this machine's disks, what the VM's folder takes now. */
  diskMibOf(vmId: string): Promise<number>;
  close(): void;
};

/** What tests need of this machine: ids of requirements. */
export const QEMU_ABILITIES = ['architecture', 'root', 'qemu_programs', 'network', 'image', 'qemu_guest'];

const BUNDLE = { bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' } as const;
/** Enough for the stub: a machine that runs tests holds several. */
const MEMORY_MIB = 512;
/** A guest without KVM takes its time, on a busy machine all the more. */
const PATIENCE_MS = 180_000;
const GRACE_MS = 10_000;

export async function openQemuBench(): Promise<QemuBench> {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-qemu-'));
  // Only root may look into its data folder: VMs must start all the same.
  chmodSync(dir, 0o700);
  const installationId = `t${randomBytes(3).toString('hex')}`;
  const vmsDir = join(dir, 'a-data-folder-whose-path-is-far-longer-than-the-address-of-a-unix-socket'.repeat(2), 'vms');
  mkdirSync(vmsDir, { recursive: true });
  writeFileSync(join(dir, 'policy.json'), '{ "IncognitoModeAvailability": 1 }\n');
  const bundles = [
    { from: './supervisor/supervisor.ts', to: join(dir, 'supervisor.mjs') },
    { from: './testing-stub-agent.ts', to: join(dir, 'agent.mjs') },
    { from: './testing-mortal-bridge.ts', to: join(dir, 'bridge.mjs') },
  ];
  for (const { from, to } of bundles)
    await build({ ...BUNDLE, entryPoints: [fileURLToPath(new URL(from, import.meta.url))], outfile: to });
  const options: QemuRuntimeOptions = {
    ...{ installationId, vmsDir, nodePath: process.execPath, vmDns: [], imagesDir: TEST_IMAGES_DIR },
    supervisorEntry: join(dir, 'supervisor.mjs'),
    logsDir: join(dir, 'logs'),
    policyFile: join(dir, 'policy.json'),
    chromiumPath: '/usr/lib/chromium/chromium',
    accelerator: 'auto',
    stopGraceMs: GRACE_MS,
    limits: { ...DEFAULT_VM_LIMITS, memoryMib: MEMORY_MIB, diskMib: 128 },
    // Apart from a real installation's addresses and uids on this machine.
    networkCidr: `10.${220 + (randomBytes(1).readUInt8() % 30)}.0.0/16`,
    uidBase: 48_000,
    overlays: {
      [`${GUEST.agentDir}/agent.mjs`]: join(dir, 'agent.mjs'),
      '/opt/vestibule/guest/bridge.mjs': join(dir, 'bridge.mjs'),
    },
  };
  const runtime = createQemuRuntime(options);
  const folders = createVmFolders({ vmsDir, logsDir: '', installationId });

  function factOf(vmId: string): SupervisorFact {
    const fact = folders.findSupervisor(vmId);
    if (fact === null) throw new Error(`${vmId} has no supervisor`);
    return fact;
  }
  async function ask(vmId: string, expression: string): Promise<unknown> {
    const link = await runtime.connect(vmId, 'agent');
    link.write(`${expression}\n`);
    let text = '';
    for await (const chunk of link as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (text.split('\n').length > 2) break;
    }
    const answer = text.split('\n')[1];
    return answer === undefined || answer === '' ? null : (JSON.parse(answer) as unknown);
  }

  return {
    dir,
    ask,
    diskMibOf: async (vmId) => Number.parseInt(await runCommand(['du', '-s', '-B1M', folders.dirOf(vmId)]), 10),
    guestNetwork: () => null,
    graceMs: GRACE_MS,
    patienceMs: PATIENCE_MS,
    open: (changes = {}) => createQemuRuntime({ ...options, ...changes }),
    newVmId: () => `vm_${installationId}_${randomBytes(4).toString('hex')}`,
    async exitWith(vmId, code) {
      const link = await runtime.connect(vmId, 'agent');
      link.resume().write(`process.exit(${code})\n`);
      await once(link, 'close');
    },
    async killFirstProcess(vmId) {
      const qemu = findQemuProcess(vmId);
      if (qemu === null) throw new Error(`${vmId} has no QEMU`);
      signalProcess(qemu, 'SIGKILL');
    },
    killSupervisor: async (vmId) => signalProcess(factOf(vmId).supervisor, 'SIGKILL'),
    async makeDeaf(vmId) {
      await ask(vmId, 'stub.isDeaf = true');
    },
    traces: () => findTraces({ installationId, dir, folders: [vmsDir] }),
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
