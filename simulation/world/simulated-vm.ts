/** One browser VM: the agent's real rules over simulated links and CLI, and the ways it can end. It outlives the controllers. */
import { randomUUID } from 'node:crypto';
import { LINK_VERSION, type Hello, type LoginPlan } from '@vestibule/protocol/agent-messages';
import type { VmExit } from '@vestibule/protocol/vm';
import { createCapabilities } from '@vestibule/agent/capabilities';
import { createClaimedSession } from '@vestibule/agent/claimed-session';
import type { Link } from '@vestibule/agent/link';
import { createLinkClaims, type LinkClaims } from '@vestibule/agent/link-claims';
import { createOutbox, type Outbox } from '@vestibule/agent/outbox';
import { createReleaser } from '@vestibule/agent/releaser';
import { SignIn } from '@vestibule/agent/sign-in';
import type { CliScript } from '../scenario.ts';
import type { VmTruth } from './journal.ts';
import { SimulatedCli } from './simulated-cli.ts';
import { SimulatedLink } from './simulated-link.ts';
import { SimulatedProcess, type SimulatedTime } from './simulated-time.ts';

export type SimulatedVmOptions = {
  vmId: string;
  time: SimulatedTime;
  truth: VmTruth;
  bootMs: number;
  delayMs: () => number;
  findScript: (provider: string) => CliScript;
  /** It answered a hand-over; for the journal. */
  onAnswered: (sessionId: string, result: 'stored' | 'refused', hash: string) => void;
  /** It heard of a way to sign in, with a claim or later; for the journal. */
  onTold: (way: number) => void;
  /** Whether it can be reached has changed. */
  onReachable: () => void;
};

export class SimulatedVm {
  readonly process = new SimulatedProcess();
  readonly vmId: string;
  readonly #options: SimulatedVmOptions;
  readonly #links = new Map<Link, SimulatedLink>();
  readonly #allLinks: SimulatedLink[] = [];
  readonly #outbox = createOutbox();
  readonly #hello: Hello;
  readonly #take: LinkClaims;
  #isListening = false;
  #refusesUntilMs = 0;
  #silentUntilMs = 0;
  #offered: string | null = null;
  #sessionId: string | null = null;
  exit: VmExit | null = null;

  constructor(options: SimulatedVmOptions) {
    this.#options = options;
    const { vmId, time } = options;
    this.vmId = vmId;
    this.#hello = {
      ...{ type: 'hello', version: LINK_VERSION, vmId, bootNonce: randomUUID(), buildId: 'simulated' },
      abilities: ['pipes', 'vm_browser'],
    };
    this.#take = this.#createAgent();
    time.after(options.bootMs, this.process, () => {
      this.#isListening = true;
      options.onReachable();
    });
  }

  /** It answers whoever dials, and hears what is said. */
  get isReachable(): boolean {
    const { nowMs } = this.#options.time;
    const isUndisturbed = Math.max(this.process.stalledUntilMs, this.#refusesUntilMs, this.#silentUntilMs) <= nowMs;
    return this.#isListening && this.process.isAlive && isUndisturbed;
  }

  get hasUnreadHandover(): boolean {
    return this.#allLinks.some((link) => link.hasUnreadHandover);
  }

  /** Throws while nobody listens. */
  connect(controller: SimulatedProcess): SimulatedLink {
    const { time, vmId, delayMs } = this.#options;
    if (!this.#isListening || !this.process.isAlive || this.#refusesUntilMs > time.nowMs)
      throw new Error(`${vmId} does not answer`);
    const link = new SimulatedLink({
      ...{ time, controller, vm: this.process, delayMs },
      onMessage: (end, message) => {
        if (message.type === 'handover_answer' && this.#sessionId !== null && this.#offered !== null)
          this.#options.onAnswered(this.#sessionId, message.result, this.#offered);
        if (message.type === 'claim') this.#sessionId = message.sessionId;
        if (message.type === 'claim' || message.type === 'change_way') this.#options.onTold(message.way);
        this.#take(end, message);
      },
      onClosed: (end) => {
        this.#links.delete(end);
        this.#outbox.detach(end.send);
      },
    });
    this.#links.set(link.agentEnd, link);
    this.#allLinks.push(link);
    time.after(delayMs(), this.process, () => link.agentEnd.send(this.#hello));
    return link;
  }

  end(how: 'exit' | 'kill' | 'vanish', code: number): void {
    if (!this.process.isAlive) return;
    this.process.isAlive = false;
    const at = new Date(this.#options.time.nowMs).toISOString();
    if (how === 'exit') this.exit = { exitCode: code, signal: null, reason: `exited with code ${code}`, at };
    if (how === 'kill') this.exit = { exitCode: 137, signal: null, reason: 'killed by SIGKILL', at };
    if (how === 'vanish') this.exit = { exitCode: null, signal: null, reason: 'vanished with its supervisor', at };
    for (const link of this.#links.values()) link.endFromAgent();
    this.#options.onReachable();
  }

  /** Null: for good. */
  freeze(forMs: number | null): void {
    const { time, onReachable } = this.#options;
    const untilMs = forMs === null ? Infinity : time.nowMs + forMs;
    this.process.stalledUntilMs = Math.max(this.process.stalledUntilMs, untilMs);
    onReachable();
    if (forMs !== null) time.after(forMs, null, onReachable);
  }

  breakLinks(): void {
    for (const link of this.#links.values()) link.break();
  }

  silenceLinks(forMs: number): void {
    const { time, onReachable } = this.#options;
    for (const link of this.#links.values()) link.silence(forMs);
    this.#silentUntilMs = Math.max(this.#silentUntilMs, time.nowMs + forMs);
    onReachable();
    time.after(forMs, null, onReachable);
  }

  refuseDials(forMs: number): void {
    const { time, onReachable } = this.#options;
    this.#refusesUntilMs = Math.max(this.#refusesUntilMs, time.nowMs + forMs);
    onReachable();
    time.after(forMs, null, onReachable);
  }

  #createAgent(): LinkClaims {
    const { time, truth, delayMs, findScript } = this.#options;
    const log = (): void => undefined;
    const outbox = this.#outbox;
    const capabilities = createCapabilities(outbox, log);
    const session = createReleaser(log);
    const startSignIn = (plan: LoginPlan): SignIn => {
      capabilities.have('display');
      const script = findScript(plan.provider);
      const world = new SimulatedCli({ time, vm: this.process, script, truth, delayMs });
      const desktop = {
        displayEnv: {},
        open: () => world.sleep(delayMs()),
        failed: new Promise<never>(() => undefined),
      };
      const surroundings = { home: '/home/person', shimDir: '/shim', inherited: {} };
      const watched: Outbox = {
        ...outbox,
        post: (message) => {
          if (message.type === 'handover') {
            this.#offered = message.contentHash;
            truth.offeredAtMs = time.nowMs;
          }
          outbox.post(message);
        },
      };
      return new SignIn({
        ...surroundings,
        plan,
        desktop,
        capabilities,
        outbox: watched,
        releaser: session,
        log,
        world,
      });
    };
    const { onClaim, onCommand } = createClaimedSession({
      startSignIn,
      endSession: () => void session.releaseAll(),
      onShutdown: () => this.end('exit', 1),
      outbox,
      log,
    });
    return createLinkClaims({ outbox, onClaim, onCommand, log });
  }
}
