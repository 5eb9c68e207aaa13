/**
 * A VM that is a container which a container engine made and this supervisor starts. The engine is asked to start it and how it ended;
 * all between (log, asking to end, killing, seeing the end) goes past the engine, which may be restarted meanwhile.
 */
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attachNetwork } from '../container/container-network.ts';
import { openWire } from '../container/container-wire.ts';
import { createEngine, type Engine } from '../container/engine.ts';
import { findOomCounter, readOomKills } from '../container/memory-cgroup.ts';
import { findProcessIdentity, isAlive, signalProcess, type ProcessIdentity } from '../system/process-identity.ts';
import type { ContainerLaunch } from './launch.ts';
import type { Machine, MachineEnd, MachineHooks } from './machine.ts';

const LOOK_AGAIN_MS = 20;
const LOG_END_MS = 500;
/** An engine that is being restarted is back by then. */
const ENGINE_BACK_MS = 15_000;

export function startContainerMachine(launch: ContainerLaunch, { vmDir, log, report }: MachineHooks): Machine {
  const engine = createEngine(launch.socketPath);
  const wire = openWire(join(vmDir, 'wire'), log);
  const asked = { toEnd: false, toDie: false };
  let first: ProcessIdentity | null = null;

  async function run(): Promise<MachineEnd> {
    await engine.startContainer(launch.name);
    const state = await engine.inspectContainer(launch.name);
    first = state === null || state.Pid <= 1 ? null : findProcessIdentity(state.Pid);
    if (first === null) return toEnd(await findExitCode(engine, launch.name), false, launch);
    report({ guestInit: first });
    if (asked.toDie) signalProcess(first, 'SIGKILL');
    try {
      if (launch.network !== null) await attachNetwork(launch.network, first.pid);
    } catch (error) {
      const died = !isAlive(first);
      signalProcess(first, 'SIGKILL');
      if (!died) throw new Error(`attaching its network: ${toMessage(error)}`, { cause: error });
    }
    // Process 1 of one that is to end before it began then ends with code 1, as the agent would.
    wire.say(asked.toEnd ? 'end' : 'start');
    const oomKills = await waitForEnd(first);
    await Promise.race([wire.logEnded, delay(LOG_END_MS)]);
    return toEnd(await findExitCode(engine, launch.name), oomKills > 0 && !asked.toDie, launch);
  }

  return {
    ended: run(),
    askToEnd() {
      if (first !== null) wire.say('end');
      asked.toEnd = true;
    },
    kill() {
      asked.toDie = true;
      if (first !== null) signalProcess(first, 'SIGKILL');
    },
  };
}

const toMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Resolves to the number of processes that the kernel ended at the memory limit. */
async function waitForEnd(first: ProcessIdentity): Promise<number> {
  const counter = findOomCounter(first.pid);
  let oomKills = 0;
  for (let lives = true; lives;) {
    lives = isAlive(first);
    // Once more after the end: the engine needs longer than this to remove the control group.
    if (counter !== null) oomKills = readOomKills(counter) ?? oomKills;
    if (lives) await delay(LOOK_AGAIN_MS);
  }
  return oomKills;
}

/** Null when the engine cannot tell. */
async function findExitCode(engine: Engine, name: string): Promise<number | null> {
  const deadline = performance.now() + ENGINE_BACK_MS;
  do {
    const state = await engine.inspectContainer(name).catch(() => undefined);
    if (state === null) return null;
    if (state !== undefined && !state.Running && state.Status !== 'created' && state.Status !== 'stopping')
      return state.ExitCode;
    await delay(LOOK_AGAIN_MS);
  } while (performance.now() < deadline);
  return null;
}

/** The engine tells a death by signal as 128 plus its number. */
function toEnd(exitCode: number | null, isOutOfMemory: boolean, { memoryMib }: ContainerLaunch): MachineEnd {
  if (exitCode === null) return { exitCode, signal: null, words: 'ended, and the container engine cannot tell how' };
  const isKill = exitCode === 128 + constants.signals.SIGKILL;
  return isKill && isOutOfMemory
    ? { exitCode, signal: null, words: `killed: it used more than ${memoryMib} MiB of memory` }
    : { exitCode, signal: null };
}
