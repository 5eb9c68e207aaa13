/**
 * A VM that is a Firecracker in its jail: starts the jailer, tells Firecracker over its API what the VM is, and observes how it ends. A request
 * that is refused ends it again. The jail's folder is prepared by whoever started the supervisor, and removed by whoever destroys the VM.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createFirecrackerApi } from '../firecracker/api-client.ts';
import { describeFirecrackerEnd, FIRECRACKER_CODES, type FirecrackerPhase } from '../firecracker/exit-table.ts';
import { IN_JAIL, removeJailSockets } from '../firecracker/jail.ts';
import { writeFact } from '../system/fact-file.ts';
import { findProcessIdentity, signalProcess, type ProcessIdentity } from '../system/process-identity.ts';
import { SYSTEM_PATH } from '../system/run-command.ts';
import { STATUS_FD } from '../vm/supervised-vms.ts';
import { connectToVmSocket } from '../vm/vm-channel.ts';
import { VSOCK } from '../vm/vsock-ports.ts';
import type { FirecrackerLaunch } from './launch.ts';
import { openLifecycleChannel, type LifecycleChannel } from './lifecycle-channel.ts';
import type { Machine, MachineEnd, MachineHooks } from './machine.ts';

/** In the VM's folder, once Firecracker has started the VM. */
export const STARTED_FILE = 'started';

const API_SOCKET_MS = 10_000;
const LOG_END_MS = 500;
/** After a request broke off, for Firecracker to end by itself: how it ended says more. */
const OWN_END_MS = 300;
const LOOK_AGAIN_MS = 5;
const LONGEST_WORDS = 200;

type Jailed = { child: ChildProcess; sandbox: ProcessIdentity | null; guestInit: ProcessIdentity | null };

export function startFirecrackerMachine(launch: FirecrackerLaunch, hooks: MachineHooks): Machine {
  const api = createFirecrackerApi(() => connectToVmSocket(join(launch.jailRoot, IN_JAIL.apiSocket)));
  let phase: FirecrackerPhase = 'configuring';
  let isAsked = false;
  let isKilled = false;
  let jailed: Jailed | null = null;
  let lifecycle: LifecycleChannel | null = null;

  function kill(): void {
    isKilled = true;
    const root = jailed?.guestInit ?? jailed?.sandbox ?? null;
    if (root !== null) signalProcess(root, 'SIGKILL');
  }

  /** A guest that has not called yet has no init that could be told; its kernel takes the keys for a reset. */
  function passOn(): void {
    if (phase !== 'running') return;
    phase = 'ending';
    if (lifecycle?.askToStop() !== true)
      api.put({ path: '/actions', body: { action_type: 'SendCtrlAltDel' } }).catch(() => undefined);
  }

  async function configure(ended: Promise<unknown>): Promise<void> {
    let isOver = false;
    void ended.then(() => (isOver = true));
    await waitForApi(launch.jailRoot, () => isOver);
    for (const request of launch.requests) await api.put(request);
    phase = 'running';
    writeFact(join(hooks.vmDir, STARTED_FILE), '');
    if (isAsked) passOn();
  }

  async function run(): Promise<MachineEnd> {
    lifecycle = await openLifecycleChannel(launch.jailRoot, toListenerName(VSOCK.lifecyclePort), launch.uid);
    try {
      jailed = startJailer(launch.argv, hooks);
      const lastLine = keepLastLine(jailed.child.stderr);
      const ended = waitForEnd(jailed.child);
      const fault = await configure(ended).then(
        () => null,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      if (fault !== null && (await Promise.race([ended, delay(OWN_END_MS, null)])) === null) {
        kill();
        await ended;
        throw new Error(`Firecracker could not be configured: ${fault}`.slice(0, LONGEST_WORDS));
      }
      const end = await ended;
      // Who asked for it says why.
      if (isKilled) return { ...end, words: 'killed by SIGKILL' };
      const { reason, isNormal } = describeFirecrackerEnd(toFirecrackerEnd(end), phase);
      const words = `${reason}${fault === null ? toGuestWords(lifecycle) : `: ${lastLine()}`}`.slice(0, LONGEST_WORDS);
      hooks.log(Buffer.from(`vestibule: firecracker ${words}${isNormal ? '' : ' (this is not normal)'}\n`));
      return { ...end, words };
    } finally {
      await lifecycle.close();
      removeJailSockets(launch.jailRoot);
    }
  }

  return {
    ended: run(),
    askToEnd() {
      isAsked = true;
      passOn();
    },
    kill,
  };
}

/** Where Firecracker looks for whoever listens to a port that the guest calls. */
const toListenerName = (port: number): string => `${IN_JAIL.vsock.slice(1)}_${port}`;

function toGuestWords(lifecycle: LifecycleChannel): string {
  const word = lifecycle.lastWord();
  if (word === null) return '';
  return word.type === 'exit' ? `, after its agent had exited with code ${word.code}` : `: ${word.words}`;
}

/** bubblewrap tells a death by signal as 128 plus its number; Firecracker's own codes are among those numbers, and known. */
function toFirecrackerEnd({ exitCode, signal }: MachineEnd): {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
} {
  if (exitCode === null || exitCode <= 128 || exitCode in FIRECRACKER_CODES) return { exitCode, signal };
  const name = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128)?.[0];
  return name === undefined ? { exitCode, signal } : { exitCode, signal: name as NodeJS.Signals };
}

function startJailer(argv: readonly string[], { log, report }: MachineHooks): Jailed {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: { PATH: SYSTEM_PATH } });
  const sandbox = child.pid === undefined ? null : findProcessIdentity(child.pid);
  const jailed: Jailed = { child, sandbox, guestInit: null };
  report({ machine: sandbox });
  child.stdout?.on('data', log);
  child.stderr?.on('data', log);
  createInterface({ input: child.stdio[STATUS_FD] as Readable }).on('line', (line) => {
    const pid = (JSON.parse(line) as { 'child-pid'?: number })['child-pid'];
    if (pid === undefined) return;
    jailed.guestInit = findProcessIdentity(pid);
    report({ guestInit: jailed.guestInit });
  });
  return jailed;
}

function waitForEnd(child: ChildProcess): Promise<MachineEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode, signal) => {
      // After `close` the whole log was read, too; it is not worth waiting for without end.
      void Promise.race([once(child, 'close'), delay(LOG_END_MS)]).then(() => resolve({ exitCode, signal }));
    });
  });
}

async function waitForApi(jailRoot: string, isOver: () => boolean): Promise<void> {
  const path = join(jailRoot, IN_JAIL.apiSocket);
  for (const deadline = performance.now() + API_SOCKET_MS; ; await delay(LOOK_AGAIN_MS)) {
    try {
      return void (await connectToVmSocket(path)).destroy();
    } catch (error) {
      if (isOver()) throw new Error('it ended before it listened', { cause: error });
      if (performance.now() > deadline) throw new Error(`no API socket within ${API_SOCKET_MS} ms`, { cause: error });
    }
  }
}

/** Of what the jailer or Firecracker said, for the reason of an end at the start. */
function keepLastLine(stream: Readable | null): () => string {
  let last = 'it said nothing';
  stream?.on('data', (chunk: Buffer) => {
    const line = chunk.toString().trim().split('\n').at(-1);
    if (line !== undefined && line !== '') last = line.replaceAll(/[^\x20-\x7e]/g, '?');
  });
  return () => last;
}
