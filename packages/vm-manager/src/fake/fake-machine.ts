/** One `fake` VM: an agent and a display in this process, and the moments at which its script ends or freezes it. */
import type { Duplex } from 'node:stream';
import type { VmExit } from '@vestibule/protocol/vm';
import { toVmExit } from '../supervisor/exit-fact.ts';
import { createDuplexPair } from './duplex-pair.ts';
import { FakeAgent } from './fake-agent.ts';
import { FakeDisplay } from './fake-display.ts';
import type { FakeMoment, FakeScript } from './fake-script.ts';

/** What a test may do to a running VM. */
export type FakeControl = {
  /** As a click in the display. */
  signIn(): void;
  /** The first process ends with this code. */
  exit(code: number): void;
  /** The first process is killed from outside. */
  kill(): void;
  /** The VM and its supervisor are gone; nobody writes down how. */
  vanish(): void;
  /** Every link to the agent breaks. */
  dropLinks(): void;
  /** Every link to the agent breaks and none is taken up again. */
  isolate(): void;
  /** From now on it says and does nothing, and does not end when asked. */
  freeze(): void;
};

/** As a real runtime's, when the first process has to be killed. */
const STOP_GRACE_MS = 1000;

export class FakeMachine implements FakeControl {
  readonly #script: FakeScript;
  readonly #agent: FakeAgent;
  readonly #display: FakeDisplay;
  readonly #onExit: (exit: VmExit | null) => void;
  #state: 'booting' | 'up' | 'frozen' | 'ended' = 'booting';
  #released = false;
  #isolated = false;
  #boot: NodeJS.Timeout | null = null;

  /** `onExit` gets how it ended, or null when nobody observed it. */
  constructor(vmId: string, script: FakeScript, onExit: (exit: VmExit | null) => void) {
    this.#script = script;
    this.#onExit = onExit;
    this.#display = new FakeDisplay(() => {
      if (script.signIn === 'click') this.signIn();
    });
    this.#agent = new FakeAgent({
      vmId,
      script,
      reach: (moment) => this.#reach(moment),
      onShutdown: () => this.exit(1),
      onRelease: () => {
        this.#released = true;
        this.#display.close();
      },
      onSignedIn: () => this.#display.show('signed_in'),
    });
    if (script.bootMs === 0) this.#up();
    else this.#boot = setTimeout(() => this.#up(), script.bootMs).unref();
  }

  /** Throws while nobody listens. */
  connect(channel: 'agent' | 'display'): Duplex {
    const listens = this.#state === 'up' || this.#state === 'frozen';
    if (!listens || (channel === 'display' ? this.#released : this.#isolated))
      throw new Error(`the fake VM's ${channel} does not listen`);
    const [ours, theirs] = createDuplexPair();
    if (this.#state === 'up') (channel === 'agent' ? this.#agent : this.#display).accept(theirs);
    return ours;
  }

  /** Asks it to end; it is killed when it is frozen. */
  async stop(): Promise<void> {
    if (this.#state === 'up' || this.#state === 'booting') return this.exit(1);
    if (this.#state === 'ended') return;
    await new Promise((resolve) => setTimeout(resolve, STOP_GRACE_MS));
    this.#end(toVmExit({ exitCode: 137, signal: null, killedAfterMs: STOP_GRACE_MS, at: new Date() }));
  }

  signIn(): void {
    if (this.#state === 'up') this.#agent.signIn();
  }

  exit(code: number): void {
    this.#end(toVmExit({ exitCode: code, signal: null, killedAfterMs: null, at: new Date() }));
  }

  kill(): void {
    this.exit(137);
  }

  vanish(): void {
    this.#end(null);
  }

  dropLinks(): void {
    this.#agent.drop();
  }

  isolate(): void {
    this.#isolated = true;
    this.#agent.drop();
  }

  freeze(): void {
    if (this.#state === 'ended') return;
    this.#state = 'frozen';
    this.#agent.freeze();
  }

  #up(): void {
    if (this.#state !== 'booting') return;
    this.#state = 'up';
    this.#reach('boot');
  }

  #reach(moment: FakeMoment): boolean {
    if (this.#state !== 'up') return false;
    if (this.#script.exit?.when === moment) this.exit(this.#script.exit.code);
    else if (this.#script.hang === moment) this.freeze();
    return (this.#state as string) === 'up' && this.#script.hold !== moment;
  }

  #end(exit: VmExit | null): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    if (this.#boot !== null) clearTimeout(this.#boot);
    this.#agent.close();
    this.#display.close();
    this.#onExit(exit);
  }
}
