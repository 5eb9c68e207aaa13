/** A bench for the runtime `process` on this very machine: a stub in place of the agent, and eyes on everything a VM could leave behind. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { z } from 'zod';
import { signalProcess, type ProcessIdentity } from './system/process-identity.ts';
import type { Runtime } from './runtime.ts';
import type { RuntimeBench } from './runtime.conformance.ts';
import { createProcessRuntime, type ProcessRuntimeOptions } from './runtimes/process-runtime.ts';
import { findFirstProcess } from './supervisor/guest-processes.ts';
import { findDiskMib } from './testing-disk.ts';
import { findTraces } from './testing-traces.ts';

export type ProcessBench = Omit<RuntimeBench, 'open'> & {
  dir: string;
  installationId: string;
  vmsDir: string;
  open(changes?: Partial<ProcessRuntimeOptions>): Runtime;
  /** Has the stub evaluate an expression inside the VM and returns its value. */
  ask(vmId: string, expression: string): Promise<unknown>;
  diskMibOf(vmId: string): Promise<number>;
  /** The uid that the VM has on this machine. */
  uidOf(vmId: string): number;
  close(): void;
};

const identitySchema = z.object({ pid: z.number(), startTime: z.string() });
const factSchema = z.object({ supervisor: identitySchema, machine: identitySchema.nullable() });

const BUNDLE = { bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' } as const;

export async function openProcessBench(): Promise<ProcessBench> {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-process-'));
  // Only root may look into its data folder: VMs must start all the same.
  chmodSync(dir, 0o700);
  const installationId = `t${randomBytes(3).toString('hex')}`;
  const vmsDir = join(
    dir,
    'a-data-folder-whose-path-is-far-longer-than-the-address-of-a-unix-socket-may-be'.repeat(2),
    'vms',
  );
  mkdirSync(join(dir, 'agent'), { mode: 0o755 });
  mkdirSync(vmsDir, { recursive: true });
  writeFileSync(join(dir, 'policy.json'), '{ "IncognitoModeAvailability": 1 }\n');
  const supervisorEntry = join(dir, 'supervisor.mjs');
  const bundles = [
    { from: './supervisor/supervisor.ts', to: supervisorEntry },
    { from: './testing-stub-agent.ts', to: join(dir, 'agent', 'agent.mjs') },
  ];
  for (const { from, to } of bundles)
    await build({ ...BUNDLE, entryPoints: [fileURLToPath(new URL(from, import.meta.url))], outfile: to });
  const options: ProcessRuntimeOptions = {
    ...{ installationId, vmsDir, supervisorEntry, nodePath: process.execPath, vmDns: [] },
    logsDir: join(dir, 'logs'),
    agentDir: join(dir, 'agent'),
    policyFile: join(dir, 'policy.json'),
    chromiumPath: '/usr/lib/chromium/chromium',
    // Apart from a real installation's addresses and uids on this machine.
    networkCidr: `10.${220 + (randomBytes(1).readUInt8() % 30)}.0.0/16`,
    uidBase: 57_000,
  };
  const runtime = createProcessRuntime(options);

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
  const factOf = (vmId: string) =>
    factSchema.parse(JSON.parse(readFileSync(join(vmsDir, vmId, 'supervisor.json'), 'utf8')));
  function firstProcessOf(vmId: string): ProcessIdentity {
    const { machine: sandbox } = factOf(vmId);
    const first = sandbox === null ? null : findFirstProcess(sandbox, process.geteuid?.() === 0 ? 2 : 1);
    if (first === null) throw new Error(`${vmId} has no first process`);
    return first;
  }

  return {
    dir,
    installationId,
    vmsDir,
    ask,
    diskMibOf: (vmId) => findDiskMib(join(vmsDir, vmId)),
    uidOf: (vmId) => statSync(`/proc/${firstProcessOf(vmId).pid}`).uid,
    open: (changes = {}) => createProcessRuntime({ ...options, ...changes }),
    newVmId: () => `vm_${installationId}_${randomBytes(4).toString('hex')}`,
    async exitWith(vmId, code) {
      const link = await runtime.connect(vmId, 'agent');
      link.resume().write(`process.exit(${code})\n`);
      await once(link, 'close');
    },
    killFirstProcess: async (vmId) => signalProcess(firstProcessOf(vmId), 'SIGKILL'),
    killSupervisor: async (vmId) => signalProcess(factOf(vmId).supervisor, 'SIGKILL'),
    async makeDeaf(vmId) {
      await ask(vmId, 'stub.isDeaf = true');
    },
    traces: () => findTraces({ installationId, dir, folders: [vmsDir] }),
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
