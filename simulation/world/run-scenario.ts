/** Runs one scenario from its start until all has come to its end, and tells what violated an invariant. */
import { isTerminal } from '@vestibule/protocol/session';
import { Random } from '../random.ts';
import type { PersonAction, Scenario, StatementFault, TimedFault } from '../scenario.ts';
import { createJournal, createVmTruth, type VmTruth } from './journal.ts';
import { Judge } from './judge.ts';
import { findScript, toProvider } from './login-plan.ts';
import { KEY_ID, startController, type SimulatedController } from './simulated-controller.ts';
import { SimulatedDatabase } from './simulated-database.ts';
import { SimulatedMachine } from './simulated-machine.ts';
import { SimulatedPage } from './simulated-page.ts';
import { type SimulatedProcess, SimulatedTime } from './simulated-time.ts';
import type { SimulatedVm } from './simulated-vm.ts';

export type ScenarioResult = {
  violations: string[];
  /** How often each status was the end. */
  outcomes: Record<string, number>;
  steps: number;
  trace: string[];
};

type PlacedVm = { vm: SimulatedVm; truth: VmTruth; machine: number };

/** A person who gets no answer asks again. */
const ASK_AGAIN_MS = 700;
const ATTEMPTS = 4;
const REST_MS = 60_000;

export class World {
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #time = new SimulatedTime();
  readonly #journal;
  readonly #judge;
  readonly #database: SimulatedDatabase;
  readonly #machines: SimulatedMachine[] = [];
  readonly #controllers: (SimulatedController | null)[] = [];
  readonly #lostHosts = new Set<number>();
  readonly #vms: PlacedVm[] = [];
  readonly #pages: SimulatedPage[] = [];
  #ids = 0;
  #hintsLostUntilMs = 0;
  readonly #disturbedUntilMs: number[] = [];

  constructor(scenario: Scenario, isTraced: boolean) {
    this.#scenario = scenario;
    this.#random = new Random(scenario.seed);
    this.#journal = createJournal(isTraced);
    this.#database = new SimulatedDatabase({
      time: this.#time,
      random: this.#random,
      faults: scenario.faults.filter((fault): fault is StatementFault => fault.kind === 'statement'),
      onCommit: () => this.#judge.look(),
      kill: (controller) => this.#kill(this.#indexOf(controller), 2_000),
      onDisturbed: (controller, forMs) => this.#disturb(this.#indexOf(controller), forMs),
    });
    const tables = this.#database.tables;
    tables.activeKeys.add(KEY_ID);
    this.#judge = new Judge({
      ...{ tables, journal: this.#journal, holdMs: scenario.limits.holdMs, nowMs: () => this.#time.nowMs },
      hasUnreadHandover: (vmId) => this.#vms.some(({ vm }) => vm.vmId === vmId && vm.hasUnreadHandover),
    });
  }

  async run(): Promise<ScenarioResult> {
    const { controllers, people, faults } = this.#scenario;
    for (let index = 0; index < controllers; index += 1) {
      this.#machines.push(this.#createMachine(index));
      this.#start(index);
    }
    for (const action of people) this.#time.after(action.atMs, null, () => this.#act(action, ATTEMPTS));
    for (const fault of faults)
      if (fault.kind !== 'statement') this.#time.after(fault.atMs, null, () => this.#strike(fault));
    const lastMs = Math.max(0, ...people.map(({ atMs }) => atMs), ...faults.map((fault) => toEndMs(fault)));
    const { sessionMs, holdMs, graceMs } = this.#scenario.limits;
    const limitMs = lastMs + sessionMs + 3 * holdMs + graceMs + REST_MS;
    await this.#time.run(
      limitMs,
      () => this.#journal.violations.length > 0 || (this.#time.nowMs > lastMs && this.#isOver()),
    );
    if (this.#journal.violations.length === 0) this.#judgeRest();
    return this.#toResult();
  }

  #toResult(): ScenarioResult {
    const outcomes: Record<string, number> = {};
    for (const { status } of this.#database.tables.sessions.values()) outcomes[status] = (outcomes[status] ?? 0) + 1;
    const { violations, trace } = this.#journal;
    return { violations, outcomes, steps: this.#time.steps, trace: trace ?? [] };
  }

  #isOver(): boolean {
    const { sessions, vms } = this.#database.tables;
    for (const { status } of sessions.values()) if (!isTerminal(status)) return false;
    for (const { state, hostId } of vms.values())
      if (state !== (this.#isLost(hostId) && state !== 'gone' ? 'lost' : 'gone')) return false;
    return this.#pages.every(({ isOver }) => isOver);
  }

  #judgeRest(): void {
    this.#judge.judgeRest((hostId) => this.#isLost(hostId));
    for (const { sessionId, status, seq, isOver } of this.#pages) {
      const { sessions, events } = this.#database.tables;
      const session = sessions.get(sessionId);
      // A stream ends when the VM is given up; should its host return later, no page waits for that.
      const wasLost = events.get(sessionId)?.some(({ type }) => type === 'vm_lost') === true;
      if (session?.status !== status || (session?.seq !== seq && !wasLost))
        this.#judge.report(
          `I10: the page of ${sessionId} shows ${status} at ${seq}; it is ${session?.status} at ${session?.seq}`,
        );
      if (!isOver) this.#judge.report(`I10: the page of ${sessionId} is never told of the end`);
    }
    for (const machine of this.#machines)
      for (const vmId of machine.vms.keys()) this.#judge.report(`I4: something of ${vmId} is left`);
  }

  readonly #delayMs = (): number => (this.#random.chance(0.5) ? 0 : this.#random.between(1, 40));

  #newId(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
  }

  #createMachine(index: number): SimulatedMachine {
    const hostId = `host_${index}`;
    return new SimulatedMachine({
      ...{ hostId, time: this.#time, delayMs: this.#delayMs },
      providers: this.#scenario.clis.map((_, cli) => toProvider(cli)),
      newVmId: () => {
        this.#ids += 1;
        return `vm_${index}_${this.#ids}`;
      },
      toVmOptions: (vmId) => {
        const truth = createVmTruth(vmId, hostId, this.#time.nowMs);
        this.#journal.vms.set(vmId, truth);
        return {
          truth,
          bootMs: this.#random.between(10, 150),
          findScript: (provider) => findScript(this.#scenario.clis, provider),
          onTold: (way) => this.#trace(`the agent of ${vmId} is told way ${way}`),
          onAnswered: (sessionId, result, hash) => this.#judge.answered(sessionId, result, hash),
          onReachable: () => this.#measureReach(),
        };
      },
      onCreated: (vm) => {
        const truth = this.#journal.vms.get(vm.vmId);
        if (truth !== undefined) this.#vms.push({ vm, truth, machine: index });
      },
      onDestroy: (vmId) => {
        this.#measureReach();
        this.#judge.destroying(vmId, this.#machines[index]?.vms.get(vmId)?.process.isAlive === true);
      },
    });
  }

  #start(index: number): void {
    const machine = this.#machines[index];
    if (machine === undefined || this.#lostHosts.has(index)) return;
    this.#controllers[index] = startController({
      ...{ time: this.#time, database: this.#database, machine, clis: this.#scenario.clis },
      limits: { ...this.#scenario.limits, bootMs: 4_000 },
      newId: () => this.#newId(),
      standsStill: this.#scenario.faults.some(({ kind }) => kind === 'stall_controller'),
      publish: (from, sessionId) => this.#publish(from, sessionId),
    });
    this.#trace(`controller ${index} starts`);
    this.#measureReach();
  }

  #kill(index: number, forMs: number): void {
    const controller = this.#controllers[index];
    if (controller === null || controller === undefined) return;
    this.#trace(`controller ${index} dies`);
    this.#controllers[index] = null;
    controller.die();
    this.#measureReach();
    for (const page of this.#pages) page.controllerDied(controller.process);
    this.#time.after(forMs, null, () => this.#start(index));
  }

  #indexOf(process: SimulatedProcess): number {
    return this.#controllers.findIndex((controller) => controller?.process === process);
  }

  /** A hint may come late, twice, or never. */
  #publish(from: SimulatedController, sessionId: string): void {
    if (this.#time.nowMs < this.#hintsLostUntilMs) return;
    for (const controller of this.#controllers) {
      if (controller === null || controller === undefined || controller === from) continue;
      const times = this.#random.chance(0.1) ? 2 : 1;
      for (let time = 0; time < times; time += 1)
        this.#time.after(this.#random.between(1, 60), controller.process, () => controller.onHint(sessionId));
    }
  }

  #act(action: PersonAction, attempts: number): void {
    const controller = this.#controllers[action.controller] ?? this.#findController();
    const again = (): void => {
      if (attempts > 1) this.#time.after(ASK_AGAIN_MS, null, () => this.#act(action, attempts - 1));
    };
    if (controller === null) return again();
    this.#trace(`user ${action.user}: ${action.does} ${toProvider(action.cli)}`);
    this.#ask(controller, action).catch(again);
    // The answer to a request that its controller took with it never comes.
    this.#time.after(ASK_AGAIN_MS, null, () => {
      if (!controller.process.isAlive) again();
    });
  }

  async #ask(controller: SimulatedController, { user, cli, does }: PersonAction): Promise<void> {
    const userId = `user_${user}`;
    const provider = toProvider(cli);
    if (does === 'connect' || does === 'supersede') {
      const { session } = await controller.sessions.create({ userId, provider, supersede: does === 'supersede' });
      if (!this.#pages.some(({ sessionId }) => sessionId === session.sessionId)) this.#openPage(session.sessionId);
      return;
    }
    const active = [...this.#database.tables.sessions.values()].find(
      (one) => one.userId === userId && one.provider === provider && !isTerminal(one.status),
    );
    if (active !== undefined && does === 'change_mode') {
      const mode = active.mode === 'vm_browser' ? 'own_browser' : 'vm_browser';
      await controller.sessions.changeMode(active.sessionId, mode);
    } else if (active !== undefined) await controller.sessions.cancel(active.sessionId).catch(() => undefined);
  }

  #openPage(sessionId: string): void {
    this.#pages.push(
      new SimulatedPage({
        ...{ sessionId, time: this.#time, delayMs: this.#delayMs, report: this.#judge.report },
        findController: () => this.#findController(),
      }),
    );
  }

  #findController(): SimulatedController | null {
    const serving = this.#controllers.filter((one) => one !== null && one !== undefined);
    return serving.length === 0 ? null : this.#random.pick(serving);
  }

  #strike(fault: TimedFault): void {
    this.#trace(JSON.stringify(fault));
    const vm = 'vm' in fault ? this.#vms[fault.vm]?.vm : undefined;
    switch (fault.kind) {
      case 'kill_controller':
        return this.#kill(fault.controller, fault.forMs);
      case 'stall_controller': {
        const process = this.#controllers[fault.controller]?.process;
        if (process !== undefined)
          process.stalledUntilMs = Math.max(process.stalledUntilMs, this.#time.nowMs + fault.forMs);
        return this.#disturbFor(fault.forMs);
      }
      case 'cut_database': {
        const process = this.#controllers[fault.controller]?.process;
        if (process !== undefined) this.#database.cut(process, fault.forMs);
        return this.#disturbFor(fault.forMs);
      }
      case 'database_down':
        this.#database.goDown(fault.forMs);
        return this.#disturbFor(fault.forMs);
      case 'lose_hints':
        this.#hintsLostUntilMs = this.#time.nowMs + fault.forMs;
        return;
      case 'end_vm':
        return vm?.end(fault.how, fault.code);
      case 'freeze_vm':
        return vm?.freeze(fault.forMs);
      case 'break_links':
        vm?.breakLinks();
        return this.#disturb(this.#vms[fault.vm]?.machine ?? -1, 0);
      case 'silence_links':
        return vm?.silenceLinks(fault.forMs);
      case 'refuse_dials':
        return vm?.refuseDials(fault.forMs);
      case 'lose_host':
        return this.#loseHost(fault.controller);
      default:
        return fault satisfies never;
    }
  }

  /** One of several: the last one stays, to tell the tale. */
  #loseHost(index: number): void {
    if (this.#lostHosts.size + 1 >= this.#scenario.controllers) return;
    this.#lostHosts.add(index);
    this.#machines[index]?.lose();
    this.#kill(index, 0);
  }

  #isLost(hostId: string): boolean {
    return this.#lostHosts.has(Number(hostId.slice('host_'.length)));
  }

  #disturbFor(forMs: number): void {
    this.#measureReach();
    this.#time.after(forMs, null, () => this.#measureReach());
  }

  /** For so long, these VMs and the database cannot reach each other. */
  #disturb(machine: number, forMs: number): void {
    this.#disturbedUntilMs[machine] = Math.max(this.#disturbedUntilMs[machine] ?? 0, this.#time.nowMs + forMs);
    this.#measureReach();
    for (const placed of this.#vms) if (placed.machine === machine) placed.truth.reachableSinceMs = null;
    this.#time.after(forMs, null, () => this.#measureReach());
  }

  #measureReach(): void {
    const { nowMs } = this.#time;
    for (const { vm, truth, machine } of this.#vms) {
      const controller = this.#controllers[machine];
      const isServed =
        controller !== null &&
        controller !== undefined &&
        controller.process.stalledUntilMs <= nowMs &&
        (this.#disturbedUntilMs[machine] ?? 0) <= nowMs &&
        this.#database.isReachable(controller.process);
      noteReach(truth, vm.isReachable && isServed, nowMs, this.#findEndMs(vm.vmId));
    }
  }

  #findEndMs(vmId: string): number | null {
    for (const session of this.#database.tables.sessions.values())
      if (session.vmId === vmId)
        return session.endedAt === null ? null : session.endedAt.getTime() - Date.UTC(2026, 0, 1);
    return null;
  }

  #trace(line: string): void {
    this.#journal.trace?.push(`${this.#time.nowMs} ms: ${line}`);
  }
}

function noteReach(truth: VmTruth, isReachable: boolean, nowMs: number, endedAtMs: number | null): void {
  const { reachableSinceMs: sinceMs, succeededAtMs, offeredAtMs } = truth;
  if (sinceMs !== null && succeededAtMs !== null)
    truth.longestReachableMs = Math.max(truth.longestReachableMs, nowMs - Math.max(sinceMs, succeededAtMs));
  if (sinceMs !== null && offeredAtMs !== null && endedAtMs !== null) {
    const lateMs = nowMs - Math.max(sinceMs, offeredAtMs, endedAtMs);
    truth.longestReachableLateMs = Math.max(truth.longestReachableLateMs, lateMs);
  }
  truth.reachableSinceMs = isReachable ? (sinceMs ?? nowMs) : null;
}

function toEndMs(fault: Scenario['faults'][number]): number {
  if (fault.kind === 'statement') return 0;
  return fault.atMs + ('forMs' in fault ? (fault.forMs ?? 0) : 0);
}

export function runScenario(scenario: Scenario, { isTraced = false } = {}): Promise<ScenarioResult> {
  return new World(scenario, isTraced).run();
}
