/** A bench for the runtime `firecracker` over the double of Firecracker: everything is the product's but the two programs and the guest. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect } from 'vitest';
import { z } from 'zod';
import { makeDoubleImage } from './firecracker/double/testing-double-image.ts';
import { installFirecrackerDouble, type InstalledDouble } from './firecracker/double/testing-install-double.ts';
import type { MachineFate } from './firecracker/double/double-settings.ts';
import { toJail } from './firecracker/jail.ts';
import type { RuntimeBench } from './runtime.conformance.ts';
import type { Runtime } from './runtime.ts';
import { createFirecrackerRuntime, type FirecrackerRuntimeOptions } from './runtimes/firecracker-runtime.ts';
import { findProcessIdentity, signalProcess, type ProcessIdentity } from './system/process-identity.ts';
import { findTraces } from './testing-traces.ts';
import { GUEST } from './vm/guest.ts';
import { connectToVmSocket } from './vm/vm-channel.ts';
import { TAP } from './vm/vm-network.ts';

export type FirecrackerBench = Omit<RuntimeBench, 'open'> & {
  dir: string;
  double: InstalledDouble;
  open(changes?: Partial<FirecrackerRuntimeOptions>): Runtime;
  /** Has the stub evaluate an expression inside the VM and returns its value. */
  ask(vmId: string, expression: string): Promise<unknown>;
  /** The machine ends so, now. */
  end(vmId: string, fate: MachineFate): Promise<void>;
  jailRootOf(vmId: string): string;
  guestNetwork(vmId: string): { namespace: string; address: string };
  /** Firecracker's own process. */
  firecrackerOf(vmId: string): ProcessIdentity;
  logOf(vmId: string): string;
  close(): void;
};

const identitySchema = z.object({ pid: z.number(), startTime: z.string() });
const factSchema = z.object({ supervisor: identitySchema, machine: identitySchema.nullable() });
const BUNDLE = { bundle: true, platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' } as const;

export async function openFirecrackerBench(): Promise<FirecrackerBench> {
  const dir = mkdtempSync(join(tmpdir(), 'vestibule-firecracker-'));
  // Only root may look into its data folder: VMs must start all the same.
  chmodSync(dir, 0o700);
  const installationId = `t${randomBytes(3).toString('hex')}`;
  // Longer than the address of a unix socket may be.
  const dataDir = join(dir, 'a-data-folder-whose-path-is-long'.repeat(4));
  const [vmsDir, jailsDir, logsDir] = [join(dataDir, 'vms'), join(dataDir, 'jails'), join(dir, 'logs')];
  for (const folder of [vmsDir, jailsDir, join(dir, 'agent')]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(join(dir, 'policy.json'), '{ "IncognitoModeAvailability": 1 }\n');
  makeDoubleImage(join(dir, 'images'), 'of a stub');
  const supervisorEntry = join(dir, 'supervisor.mjs');
  const bundles = [
    { from: './supervisor/supervisor.ts', to: supervisorEntry },
    { from: './testing-stub-agent.ts', to: join(dir, 'agent', 'agent.mjs') },
  ];
  for (const { from, to } of bundles)
    await build({ ...BUNDLE, entryPoints: [fileURLToPath(new URL(from, import.meta.url))], outfile: to });
  mkdirSync(join(dir, 'bin'));
  const double = await installFirecrackerDouble(join(dir, 'bin'), {
    agentDir: join(dir, 'agent'),
    nodePath: process.execPath,
  });
  const options: FirecrackerRuntimeOptions = {
    ...{ installationId, vmsDir, logsDir, supervisorEntry, nodePath: process.execPath, vmDns: [], jailsDir },
    ...{ firecrackerPath: double.firecrackerPath, jailerPath: double.jailerPath, imagesDir: join(dir, 'images') },
    policyFile: join(dir, 'policy.json'),
    chromiumPath: '/usr/lib/chromium/chromium',
    // Apart from a real installation's addresses and uids on this machine.
    networkCidr: `10.${220 + (randomBytes(1).readUInt8() % 30)}.0.0/16`,
    uidBase: 53_000,
  };
  const runtime = createFirecrackerRuntime(options);
  const jailOf = (vmId: string) => toJail(jailsDir, double.firecrackerPath, vmId);
  const jailRootOf = (vmId: string): string => jailOf(vmId).root;

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
  const firecrackerOf = (vmId: string): ProcessIdentity =>
    findProcess((argv) => argv[2] === '/proc/self/cwd/firecracker' && argv.includes(jailOf(vmId).id));

  return {
    ...{ dir, double, ask, jailRootOf, firecrackerOf },
    open: (changes = {}) => createFirecrackerRuntime({ ...options, ...changes }),
    newVmId: () => `vm_${installationId}_${randomBytes(4).toString('hex')}`,
    async exitWith(vmId, code) {
      const link = await runtime.connect(vmId, 'agent');
      link.resume().write(`process.exit(${code})\n`);
      await once(link, 'close');
    },
    async end(vmId, fate) {
      const socket = await connectToVmSocket(join(jailRootOf(vmId), 'double.sock'));
      socket.end(JSON.stringify(fate));
    },
    killFirstProcess: async (vmId) => signalProcess(firecrackerOf(vmId), 'SIGKILL'),
    killSupervisor: async (vmId) => signalProcess(factOf(vmId).supervisor, 'SIGKILL'),
    async makeDeaf(vmId) {
      await ask(vmId, 'stub.isDeaf = true');
    },
    // Whether it was asked to or not, a guest ends by a restart, which Firecracker tells with 0.
    toExit: (code) => ({
      exitCode: 0,
      reason: expect.stringMatching(
        new RegExp(`^exited with code 0: the guest restarted, .+, after its agent had exited with code ${code}$`),
      ) as string,
    }),
    guestNetwork(vmId) {
      const { pid } = findProcess(
        (argv) => argv[0] === GUEST.node,
        (environ) => environ.includes(`VESTIBULE_VM_ID=${vmId}`),
      );
      return { namespace: `/proc/${pid}/ns/net`, address: TAP.guest };
    },
    logOf: (vmId) => readText(join(vmsDir, vmId, 'vm.log')) + readText(join(logsDir, `${vmId}.log`)),
    async traces() {
      const jails = join(jailsDir, 'firecracker');
      // The jailer leaves the folder of all jails.
      mkdirSync(jails, { recursive: true });
      const jailNames = readdirSync('/proc').filter(
        (name) => /^\d+$/.test(name) && readText(`/proc/${name}/cmdline`).includes(`vm-${installationId}-`),
      );
      const found = await findTraces({ installationId, dir, folders: [vmsDir, jails] });
      return [...new Set([...found, ...jailNames.map((name) => `process ${name}`)])].toSorted();
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** Of this machine's processes the first with such an argv and environment. */
function findProcess(
  hasArgv: (argv: readonly string[]) => boolean,
  hasEnvironment: (environ: string) => boolean = () => true,
): ProcessIdentity {
  const pid = readdirSync('/proc').find(
    (name) =>
      /^\d+$/.test(name) &&
      hasArgv(readText(`/proc/${name}/cmdline`).split('\0')) &&
      hasEnvironment(readText(`/proc/${name}/environ`)),
  );
  const found = pid === undefined ? null : findProcessIdentity(Number(pid));
  if (found === null) throw new Error('no such process');
  return found;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
