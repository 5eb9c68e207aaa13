/**
 * The one loop: reads the rows, observes the VMs, asks `plan`, executes. It holds no truth: a restart is a normal case.
 * A step runs for one session at a time; several sessions run side by side.
 */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import type { Mode } from '@vestibule/protocol/session';
import { toFailureMessage } from '@vestibule/protocol/session-failure';
import { type Clock, sleep } from '../clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { VmStore } from '../fleet/vm-store.ts';
import { type Facts, type Limits, type Operation, plan, toUnseenExit } from './plan.ts';
import type { FindBlocker, Host, Layers, Links } from './reconciler-ports.ts';
import { type DestroyCause, isActive, type SessionRow, type VmRow } from './session-row.ts';
import type { SessionStore } from './session-store.ts';

const TICK_MS = 500;
const HEARTBEAT_MS = 5_000;
const SWEEP_MS = 10_000;
const LAST_STEPS_MS = 5_000;
const NO_FAILURES: Facts['installs'] = { failedHere: false, message: null, hostLeft: false };

export type ReconcilerDeps = {
  store: SessionStore;
  vms: VmStore;
  host: Host;
  layers: Layers;
  links: Links;
  findBlocker: FindBlocker;
  toLoginPlan: (provider: string, mode: Mode) => LoginPlan;
  limits: Limits & { sessionMs: number };
  clock: Clock;
  log: Logger;
};

export function createReconciler(deps: ReconcilerDeps) {
  const { store, vms, host, links, clock, log } = deps;
  const busy = new Set<string>();
  const again = new Set<string>();
  let stopped = false;
  let woken = true;
  let wakeLoop = (): void => {};
  let loop: Promise<void> | null = null;
  const steps = new Set<Promise<void>>();
  let heartbeatAt = 0;
  let sweepAt = 0;
  let sweeping: Promise<void> | null = null;

  function wake(): void {
    woken = true;
    wakeLoop();
  }

  async function gather(row: SessionRow, active: readonly SessionRow[]): Promise<Facts> {
    const here = row.vm !== null && row.vm.hostId === host.hostId;
    const layer = deps.layers.fact(row.provider);
    const asksInstalls = row.vm === null && isActive(row) && layer.state !== 'ready';
    return {
      hostId: host.hostId,
      layer,
      installs: asksInstalls ? await vms.readInstalls(row.sessionId, row.provider, host.hostId) : NO_FAILURES,
      blockedBy: row.vm === null ? deps.findBlocker(row, active) : null,
      vm: here && row.vm ? { inspection: await host.inspect(row.vm.vmId), link: links.fact(row.vm.vmId) } : null,
    };
  }

  async function createVm(row: SessionRow, operation: Extract<Operation, { kind: 'create_vm' }>): Promise<void> {
    const { vmId, slot, epoch } = operation.vm;
    try {
      await host.create(vmId, slot, epoch + 1, row.provider);
    } catch (error) {
      log.warn({ sessionId: row.sessionId, vmId, err: error }, 'starting the browser VM failed');
      await end(row, {
        kind: 'end',
        event: 'sign_in_failed',
        code: 'vm_start_failed',
        detail: error instanceof Error ? error.message : '',
      });
      return;
    }
    // A create that finishes late rechecks its row (I4): an ended session's VM is left to the plan, which destroys it.
    const now = await store.find(row.sessionId);
    if (now !== null && isActive(now)) links.dial(vmId);
  }

  async function destroyVm({ vmId, state }: VmRow, cause: DestroyCause): Promise<void> {
    await vms.markDraining(vmId);
    links.shutdown(vmId);
    const exit = await host.destroy(vmId);
    await links.drop(vmId);
    if (exit !== null || state !== 'creating') await vms.recordExit(vmId, exit ?? toUnseenExit(new Date()));
    await vms.markGone(vmId, cause);
  }

  async function end(row: SessionRow, operation: Extract<Operation, { kind: 'end' }>): Promise<void> {
    const message = toFailureMessage(operation.code, operation.detail);
    await store.end(row.sessionId, { event: operation.event, code: operation.code, message, actor: 'controller' });
  }

  async function execute(row: SessionRow, operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'install_layer':
        return deps.layers.install(row.provider);
      case 'record_layer_failure': {
        const data = { hostId: host.hostId, message: operation.message };
        await store.appendOnce(row.sessionId, { type: 'layer_failed', actor: 'controller', data });
        return;
      }
      case 'wait':
        await store.setWaiting(row.sessionId, operation.waitingFor, operation.stage, host.hostId);
        return;
      case 'place_vm': {
        const placement = { vmId: host.newVmId(), hostId: host.hostId, runtime: host.runtime, maxVms: host.maxVms };
        const placed = await vms.place(row.sessionId, { ...placement, sessionMs: deps.limits.sessionMs });
        const allInUse = 'All sign-in browsers of this server are in use.';
        if (!placed) await store.setWaiting(row.sessionId, allInUse, 'starting_vm', host.hostId);
        return;
      }
      case 'create_vm':
        return createVm(row, operation);
      case 'dial':
        return links.dial(operation.vmId);
      case 'record_exit':
        await vms.recordExit(operation.vmId, operation.exit);
        return;
      case 'begin_settling': {
        const { kind: _, ...why } = operation;
        await store.beginSettling(row.sessionId, why);
        return;
      }
      case 'ask_settle':
        return links.settle(operation.vmId);
      case 'tell_way': {
        const { provider, mode, way } = row;
        return links.changeWay(operation.vmId, {
          type: 'change_way',
          way,
          mode,
          plan: deps.toLoginPlan(provider, mode),
        });
      }
      case 'end':
        return end(row, operation);
      case 'release':
        return links.release(operation.vmId);
      case 'mark_lost':
        await vms.markLost(operation.vmId, deps.limits.holdMs);
        return;
      case 'destroy_vm':
        return destroyVm(operation.vm, operation.cause);
      default:
        return operation satisfies never;
    }
  }

  async function step(row: SessionRow, active: readonly SessionRow[]): Promise<void> {
    const operations = plan(row, await gather(row, active), deps.limits);
    for (const operation of operations) await execute(row, operation);
  }

  function start(row: SessionRow, active: readonly SessionRow[]): void {
    if (busy.has(row.sessionId)) {
      again.add(row.sessionId);
      return;
    }
    busy.add(row.sessionId);
    const running = step(row, active)
      .catch((error: unknown) =>
        log.error({ sessionId: row.sessionId, err: error }, 'reconciling a session failed; it is tried again'),
      )
      .finally(() => {
        busy.delete(row.sessionId);
        steps.delete(running);
        if (again.delete(row.sessionId)) wake();
      });
    steps.add(running);
  }

  /** Removes what a crash left: VMs of this installation that no row wants (I4). */
  async function sweep(): Promise<void> {
    const found = await host.list();
    const wanted = await vms.listNotGone(host.hostId);
    for (const vmId of found.filter((id) => !wanted.has(id))) {
      log.warn({ vmId }, 'found a browser VM that no row wants; destroying it');
      await host.destroy(vmId).catch((error: unknown) => log.error({ vmId, err: error }, 'it could not be destroyed'));
    }
  }

  /** Beside the sessions: what cannot be cleared up must not hold them up. */
  function startSweep(): void {
    sweeping ??= sweep()
      .catch((error: unknown) => log.error({ err: error }, 'sweeping failed; it is tried again'))
      .finally(() => {
        sweeping = null;
        sweepAt = clock.nowMs() + SWEEP_MS;
      });
  }

  async function housekeep(): Promise<void> {
    const now = clock.nowMs();
    if (now >= heartbeatAt) {
      await vms.registerHost(host.hostId, host.runtime, host.offer());
      // Another controller takes a host for silent once its hold is over.
      heartbeatAt = now + Math.min(HEARTBEAT_MS, deps.limits.holdMs / 4);
    }
    if (now >= sweepAt) startSweep();
  }

  async function pass(): Promise<void> {
    await housekeep();
    const rows = await store.listUnsettled(host.hostId, deps.limits.holdMs);
    const active = rows.filter(isActive);
    for (const row of rows) start(row, active);
  }

  async function pause(): Promise<void> {
    if (woken) return;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(TICK_MS, resolve);
      wakeLoop = () => {
        cancel();
        resolve();
      };
    });
  }

  async function run(): Promise<void> {
    while (!stopped) {
      woken = false;
      await pass().catch((error: unknown) =>
        log.error({ err: error }, 'a pass over the sessions failed; the next one tries again'),
      );
      await pause();
    }
  }

  return {
    /** Something changed: look again at once. */
    wake,
    /** Removes what no row wants, in a sweep that begins now, also when one is under way. */
    async sweepNow(): Promise<void> {
      await sweeping;
      startSweep();
      await sweeping;
    },
    start(): void {
      loop ??= run();
    },
    /** Ends the loop after the steps under way; VMs live on. */
    async stop(): Promise<void> {
      stopped = true;
      wake();
      await loop;
      const last = Promise.all([...steps, sweeping]).then(() => true);
      const patience = sleep(clock, LAST_STEPS_MS).then(() => false);
      if (!(await Promise.race([last, patience])))
        log.warn('a step did not end in time; the next start takes it up again');
    },
  };
}
