/**
 * The supervisor of one VM: a small detached process that starts the VM, keeps its log, and observes and writes how it ended.
 * Built as one file and run as `node supervisor.mjs <VM folder>`. It starts nothing before it reads "start" on its stdin, so whoever
 * created it can still think better of it, or die. SIGTERM asks the VM to end, and kills it when it does not.
 * It knows no session and no network; when it is killed itself, bubblewrap ends the VM (`--die-with-parent`).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { VmExit } from '@vestibule/protocol/vm';
import { writeFact, writeFactDurably } from '../process/fact-file.ts';
import { findProcessIdentity, signalProcess } from '../process/process-identity.ts';
import { SYSTEM_PATH } from '../process/run-command.ts';
import { STATUS_FD } from '../process/supervised-vm.ts';
import type { SupervisedSpec, SupervisorFact } from '../process/vm-folders.ts';
import { BoundedLog } from './bounded-log.ts';
import { toVmExit } from './exit-fact.ts';
import { findFirstProcess } from './guest-processes.ts';

const LOG_BYTES = 1024 * 1024;
const LOG_END_MS = 500;
const LOOK_AGAIN_MS = 20;
/** The kernel ends VMs before the machine's own services when memory runs out. */
const OOM_SCORE = 500;

const vmDir = process.argv[2] ?? '';
const toText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** False when stdin ends first. */
function readStart(): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdin.once('data', (bytes: Buffer) => resolve(bytes.toString().startsWith('start')));
    process.stdin.once('end', () => resolve(false));
  });
}

function startSandbox(argv: readonly string[]): ChildProcess {
  const [program = '', ...args] = argv;
  // Children inherit it; a process may always go back to where it was.
  setOomScore(OOM_SCORE);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: { PATH: SYSTEM_PATH } });
  setOomScore(0);
  return child;
}

function setOomScore(score: number): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', String(score));
  } catch {
    // Only a preference.
  }
}

function finish(exit: VmExit): never {
  writeFactDurably(join(vmDir, 'exit.json'), toText(exit));
  process.exit(0);
}

function supervise(launch: SupervisedSpec['launch']): void {
  const child = startSandbox(launch.argv);
  const self = findProcessIdentity(process.pid);
  if (self === null) throw new Error('no /proc: a VM cannot be supervised here');
  const sandbox = child.pid === undefined ? null : findProcessIdentity(child.pid);
  const fact: SupervisorFact = { supervisor: self, sandbox, guestInit: null };
  writeFact(join(vmDir, 'supervisor.json'), toText(fact));

  const log = new BoundedLog(join(vmDir, 'vm.log'), LOG_BYTES);
  child.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
  child.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
  createInterface({ input: child.stdio[STATUS_FD] as Readable }).on('line', (line) => {
    const pid = (JSON.parse(line) as { 'child-pid'?: number })['child-pid'];
    if (pid === undefined) return;
    fact.guestInit = findProcessIdentity(pid);
    writeFact(join(vmDir, 'supervisor.json'), toText(fact));
  });

  let killedAfterMs: number | null = null;
  const kill = (): void => {
    const root = fact.guestInit ?? sandbox;
    if (root !== null) signalProcess(root, 'SIGKILL');
  };
  /** A first process that is not found has not been started yet, or has just ended, and how is about to be seen: nobody kills it then. */
  const askToEnd = (): void => {
    const first = sandbox === null ? null : findFirstProcess(sandbox, launch.namespaceDepth);
    if (first === null) setTimeout(askToEnd, LOOK_AGAIN_MS).unref();
    else signalProcess(first, 'SIGTERM');
  };
  process.on('SIGTERM', () => {
    askToEnd();
    setTimeout(() => {
      killedAfterMs = launch.stopGraceMs;
      kill();
    }, launch.stopGraceMs).unref();
  });

  child.once('error', (error) => {
    const reason = `could not be started: ${error.message}`.slice(0, 300);
    finish({ exitCode: null, signal: null, reason, at: new Date().toISOString() });
  });
  child.once('exit', (exitCode, signal) => {
    const exit = toVmExit({ exitCode, signal, killedAfterMs, at: new Date() });
    // After `close` the whole log was read, too; it is not worth waiting for without end.
    child.once('close', () => finish(exit));
    setTimeout(() => finish(exit), LOG_END_MS);
  });
}

if (await readStart()) {
  process.stdin.destroy();
  supervise((JSON.parse(readFileSync(join(vmDir, 'spec.json'), 'utf8')) as SupervisedSpec).launch);
}
