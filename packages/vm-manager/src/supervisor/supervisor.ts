/**
 * The supervisor of one VM: a small detached process that starts the VM, keeps its log, and observes and writes how it ended.
 * Built as one file and run as `node supervisor.mjs <VM folder>`. It starts nothing before it reads "start" on its stdin, so whoever
 * created it can still think better of it, or die. SIGTERM asks the VM to end, and kills it when it does not.
 * It knows no session; when it is killed itself, the VM ends with it (each kind of machine has its own way to see to that).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VmExit } from '@vestibule/protocol/vm';
import { writeFact, writeFactDurably } from '../system/fact-file.ts';
import { findProcessIdentity } from '../system/process-identity.ts';
import type { SupervisedSpec, SupervisorFact } from '../vm/vm-folders.ts';
import { BoundedLog } from './bounded-log.ts';
import { startContainerMachine } from './container-machine.ts';
import { toVmExit } from './exit-fact.ts';
import { startFirecrackerMachine } from './firecracker-machine.ts';
import type { Launch } from './launch.ts';
import type { Machine, MachineHooks } from './machine.ts';
import { startQemuMachine } from './qemu-machine.ts';
import { startSandboxMachine } from './sandbox-machine.ts';

const LOG_BYTES = 1024 * 1024;

const vmDir = process.argv[2] ?? '';
const toText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** False when stdin ends first. */
function readStart(): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdin.once('data', (bytes: Buffer) => resolve(bytes.toString().startsWith('start')));
    process.stdin.once('end', () => resolve(false));
  });
}

function startMachine(launch: Launch, hooks: MachineHooks): Machine {
  switch (launch.kind) {
    case 'sandbox':
      return startSandboxMachine(launch, hooks);
    case 'container':
      return startContainerMachine(launch, hooks);
    case 'firecracker':
      return startFirecrackerMachine(launch, hooks);
    case 'qemu':
      return startQemuMachine(launch, hooks);
    default:
      return launch satisfies never;
  }
}

function finish(exit: VmExit): never {
  writeFactDurably(join(vmDir, 'exit.json'), toText(exit));
  process.exit(0);
}

async function supervise(launch: Launch): Promise<never> {
  const self = findProcessIdentity(process.pid);
  if (self === null) throw new Error('no /proc: a VM cannot be supervised here');
  const fact: SupervisorFact = { supervisor: self, machine: null, guestInit: null };
  const log = new BoundedLog(join(vmDir, 'vm.log'), LOG_BYTES);
  const machine = startMachine(launch, {
    vmDir,
    log: (chunk) => log.write(chunk),
    report(processes) {
      Object.assign(fact, processes);
      writeFact(join(vmDir, 'supervisor.json'), toText(fact));
    },
  });
  let killedAfterMs: number | null = null;
  process.on('SIGTERM', () => {
    machine.askToEnd();
    setTimeout(() => {
      killedAfterMs = launch.stopGraceMs;
      machine.kill();
    }, launch.stopGraceMs).unref();
  });
  try {
    finish(toVmExit({ ...(await machine.ended), killedAfterMs, at: new Date() }));
  } catch (error) {
    const reason = `could not be started: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
    finish({ exitCode: null, signal: null, reason, at: new Date().toISOString() });
  }
}

if (await readStart()) {
  process.stdin.destroy();
  await supervise((JSON.parse(readFileSync(join(vmDir, 'spec.json'), 'utf8')) as SupervisedSpec).launch);
}
