/** One master controller: the product's own parts, put together as `app.ts` does it, over the simulated database, host and agents. */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import { AgentLinks } from '@vestibule/controller/agent-link/agent-links';
import { createAwakeClock } from '@vestibule/controller/awake-clock';
import { createAgentReports } from '@vestibule/controller/session/agent-reports';
import { createAuthSessions } from '@vestibule/controller/session/auth-sessions';
import { ChangeSignal } from '@vestibule/controller/session/change-signal';
import type { Limits } from '@vestibule/controller/session/plan';
import { createPushes } from '@vestibule/controller/session/pushes';
import { createReconciler } from '@vestibule/controller/session/reconciler';
import { createTakeHandover } from '@vestibule/controller/session/take-handover';
import { createLogger } from '@vestibule/controller/telemetry/logger';
import { createModelStores } from '../model/model-stores.ts';
import type { CliScript } from '../scenario.ts';
import { CREDENTIAL_PATH, findScript, toLoginPlan } from './login-plan.ts';
import type { SimulatedDatabase } from './simulated-database.ts';
import type { SimulatedLink } from './simulated-link.ts';
import type { SimulatedMachine } from './simulated-machine.ts';
import { SimulatedProcess, type SimulatedTime } from './simulated-time.ts';

export const KEY_ID = 'key_simulated';
const { logger: LOG } = createLogger({ level: 'silent' });

export type SimulatedControllerOptions = {
  time: SimulatedTime;
  database: SimulatedDatabase;
  machine: SimulatedMachine;
  clis: readonly CliScript[];
  limits: Limits & { sessionMs: number; graceMs: number };
  newId: () => string;
  /** Whether the schedule makes controllers stand still. */
  standsStill: boolean;
  /** Passes the hint on to the other controllers. */
  publish: (from: SimulatedController, sessionId: string) => void;
};

export type SimulatedController = ReturnType<typeof startController>;

export function startController(options: SimulatedControllerOptions) {
  const { time, database, machine, clis, limits, newId } = options;
  const process = new SimulatedProcess();
  const clock = time.clockOf(process);
  const openLinks = new Set<SimulatedLink>();
  const signal = new ChangeSignal(clock);

  const onHint = (sessionId: string): void => {
    signal.notify(sessionId);
    pushes.wake(sessionId);
    reconciler.wake();
  };
  const onChange = (sessionId: string): void => {
    onHint(sessionId);
    options.publish(self, sessionId);
  };
  const { store, vms, completions } = createModelStores({
    ...{ run: database.runFor(process), graceMs: limits.graceMs, newSessionId: newId },
    ...{ onChange, onEnded: () => undefined },
  });
  const takeHandover = createTakeHandover({
    store,
    completions,
    seal: () => Promise.resolve({ credentialId: newId(), encryptedData: Buffer.from('sealed'), keyId: KEY_ID }),
    credentialFileSets: () => [[CREDENTIAL_PATH]],
  });
  const toPlan = (provider: string): LoginPlan => toLoginPlan(provider, findScript(clis, provider));
  const reports = createAgentReports({
    store,
    vms,
    takeHandover,
    answers: { markDelivered: () => Promise.resolve(false), markRefused: () => Promise.resolve(false) },
    // What the CLI shows and writes decides nothing.
    offers: { take: () => Promise.resolve() },
    outputs: { add: () => Promise.resolve(false) },
    toLoginPlan: toPlan,
    expectedBuildId: null,
  });
  const links = new AgentLinks({
    connect: (vmId) => connect(vmId),
    reports,
    onFact: () => reconciler.wake(),
    // Its beats are a fifth of all events, and make no difference to a process that never stands still.
    awake: options.standsStill ? createAwakeClock(clock) : clock,
    clock,
    log: LOG,
  });
  async function connect(vmId: string): Promise<SimulatedLink> {
    const vm = machine.vms.get(vmId);
    if (vm === undefined) throw new Error(`${vmId} does not run`);
    const link = vm.connect(process);
    openLinks.add(link);
    return link;
  }
  const reconciler = createReconciler({
    ...{ store, vms, host: machine.toHost(process), links, limits, clock, log: LOG },
    layers: { fact: () => ({ state: 'ready' }), install: () => undefined },
    findBlocker: () => null,
    toLoginPlan: toPlan,
  });
  const pushes = createPushes({ store, clock, log: LOG });
  const sessions = createAuthSessions({
    ...{ store, links, clock },
    answers: { give: () => Promise.reject(new Error('nobody answers in the simulation')) },
    offers: { find: () => Promise.resolve(null) },
    findBlocker: () => null,
    findTokenKinds: () => null,
    countPlaces: () => Promise.resolve(16),
    requireProvider: (id) => Promise.resolve(id),
    defaultMode: () => 'vm_browser',
    waitForChange: (sessionId, timeoutMs) => signal.wait(sessionId, timeoutMs),
    wake: () => reconciler.wake(),
    limits: { sessionMs: limits.sessionMs },
  });
  reconciler.start();

  const self = {
    process,
    sessions,
    pushes,
    onHint,
    /** Nothing it does happens any more; its connections close. */
    die(): void {
      process.isAlive = false;
      for (const link of openLinks) link.destroy();
    },
  };
  return self;
}
