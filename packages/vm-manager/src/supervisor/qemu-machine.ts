/**
 * A VM that is a QEMU. How it ended is told by its own init over the lifecycle channel, else by QMP; QEMU's exit code says nothing
 * (0 for a panic, too), but when it was killed or never began.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import { findProcessIdentity, signalProcess, type ProcessIdentity } from '../system/process-identity.ts';
import { SYSTEM_PATH } from '../system/run-command.ts';
import { hasRunOutOfMemory } from '../vm/vm-cgroup.ts';
import { PORT, QEMU_FD } from '../qemu/qemu-argv.ts';
import { createQmpClient, type QmpEvent } from '../qemu/qmp-client.ts';
import { createChannelMux } from './channel-mux.ts';
import { toQemuEnd, type QemuSeen } from './qemu-end.ts';
import type { QemuLaunch } from './launch.ts';
import { readLifecycleWords, STOP_LINE } from './lifecycle-words.ts';
import { isDeathByKill, spawnMachine, waitForEnd } from './machine-process.ts';
import type { Machine, MachineHooks } from './machine.ts';

export function startQemuMachine(launch: QemuLaunch, { vmDir, log, report }: MachineHooks): Machine {
  const [program = '', ...args] = launch.argv;
  const child = spawnMachine(launch.cgroups, () =>
    spawn(program, args, { stdio: ['ignore', ...Array<'pipe'>(7).fill('pipe')], env: { PATH: SYSTEM_PATH } }),
  );
  const machine = child.pid === undefined ? null : findProcessIdentity(child.pid);
  let guestInit: ProcessIdentity | null = null;
  const seen: QemuSeen = {
    word: null,
    hasPanicked: false,
    shutdownReason: null,
    complaint: '',
    hasBegun: false,
    isOutOfMemory: false,
  };
  report({ machine });
  followOutput(child, log, seen);
  const status = createInterface({ input: toPipe(child, QEMU_FD.status) });
  status.on('error', () => undefined);
  status.on('line', (line) => {
    const pid = /"child-pid": *(\d+)/.exec(line)?.[1];
    if (pid === undefined) return;
    guestInit = findProcessIdentity(Number(pid));
    report({ guestInit });
  });

  const mux = createChannelMux(toPipe(child, QEMU_FD.channels), join(vmDir, 'run'));
  const lifecycle = toPipe(child, QEMU_FD.lifecycle);
  lifecycle.on('error', () => undefined);

  function onEvent(event: QmpEvent): void {
    seen.hasBegun = true;
    if (event.event === 'GUEST_PANICKED') seen.hasPanicked = true;
    if (event.event === 'SHUTDOWN') seen.shutdownReason ??= event.data.reason;
    if (event.event !== 'VSERPORT_CHANGE' || event.data.id !== PORT.channels) return;
    if (event.data.open) mux.guestOpened();
    else mux.guestClosed();
  }
  const qmp = createQmpClient(toPipe(child, QEMU_FD.qmp), onEvent);
  const quietly = (work: Promise<unknown>): void => void work.catch(() => undefined);
  quietly(qmp.execute('qmp_capabilities').then(() => (seen.hasBegun = true)));

  readLifecycleWords(lifecycle, (word) => {
    if (seen.word?.type === 'exit') return;
    seen.word = word;
    // Its last word: nothing more is to come, and the guest waits for us.
    if (word.type !== 'started') quietly(qmp.execute('quit'));
  });

  let isKilled = false;
  function kill(): void {
    isKilled = true;
    const root = guestInit ?? machine;
    if (root !== null) signalProcess(root, 'SIGKILL');
  }
  return {
    ended: waitForEnd(child).then(async (end) => {
      await mux.drained();
      seen.isOutOfMemory = !isKilled && isDeathByKill(end) && hasRunOutOfMemory(launch.cgroups);
      return toQemuEnd(end, seen);
    }),
    askToEnd() {
      // Before its agent was started, there is nobody to ask.
      if (seen.word === null) kill();
      else lifecycle.write(STOP_LINE);
    },
    kill,
  };
}

const toPipe = (child: ChildProcess, fd: number): Duplex => child.stdio[fd] as unknown as Duplex;

function followOutput(child: ChildProcess, log: (chunk: Buffer) => void, seen: QemuSeen): void {
  for (const stream of [child.stdout, child.stderr, toPipe(child, QEMU_FD.console)] as Readable[])
    stream.on('error', () => undefined).on('data', log);
  child.stderr?.on('data', (chunk: Buffer) => {
    seen.complaint = chunk.toString().trim().split('\n').at(-1) ?? '';
  });
}
