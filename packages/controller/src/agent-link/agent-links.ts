/** The links to all agents of this host: dials each VM until its agent answers, and again after a link ended, until told to drop it. */
import { type Clock, sleep } from '../clock.ts';
import type { AgentReports } from '../session/agent-reports.ts';
import type { LinkFact } from '../session/plan.ts';
import type { ChangeWay, Links } from '../session/reconciler-ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import { AgentLink, type Answer, type LinkStream } from './agent-link.ts';

/** A guest starts within tens of milliseconds (`process`) to tens of seconds (`qemu` without KVM): ask often at first. */
const FIRST_RETRY_MS = 5;
const MAX_RETRY_MS = 250;
const HELLO_TIMEOUT_MS = 10_000;

/** A link that lasted less is no reason to ask often again: the agent sends what cannot be used. */
const LASTING_MS = 1_000;

/** A VM that ended has closed its end of the link; one that is frozen never will. */
const LAST_WORDS_MS = 1_000;

const IDLE: LinkFact = {
  state: 'idle',
  stateMs: 0,
  triedMs: 0,
  askedMs: null,
  settled: false,
  toldWay: null,
  released: false,
  storeError: null,
};

export type AgentLinksDeps = {
  connect: (vmId: string) => Promise<LinkStream>;
  reports: Pick<AgentReports, 'greet' | 'report'>;
  /** A fact changed: the reconciler looks again. */
  onFact: () => void;
  clock: Clock;
  /** For one's own patience with a VM: does not count time in which this process stood still. */
  awake: Pick<Clock, 'nowMs'>;
  log: Logger;
};

type Entry = {
  link: AgentLink | null;
  /** Resolves when the present link was read to its end. */
  ended: Promise<void> | null;
  dropped: boolean;
  storeError: string | null;
  /** First, and since the last link ended. */
  triedAt: number;
  dialledAt: number;
};

export class AgentLinks implements Links {
  readonly #deps: AgentLinksDeps;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: AgentLinksDeps) {
    this.#deps = deps;
  }

  fact(vmId: string): LinkFact {
    const entry = this.#entries.get(vmId);
    if (entry === undefined) return IDLE;
    const link = entry.link?.connected === true ? entry.link : null;
    const nowMs = this.#deps.awake.nowMs();
    const triedMs = nowMs - entry.triedAt;
    if (link === null) {
      return { ...IDLE, state: 'dialling', stateMs: nowMs - entry.dialledAt, triedMs, storeError: entry.storeError };
    }
    const { settled, released, toldWay, askedMs, connectedMs: stateMs, storeError } = link;
    return { state: 'connected', stateMs, triedMs, askedMs, settled, toldWay, released, storeError };
  }

  dial(vmId: string): void {
    if (this.#entries.has(vmId)) return;
    const triedAt = this.#deps.awake.nowMs();
    const entry: Entry = { link: null, ended: null, dropped: false, storeError: null, triedAt, dialledAt: triedAt };
    this.#entries.set(vmId, entry);
    void this.#keep(vmId, entry);
  }

  settle(vmId: string): void {
    this.#entries.get(vmId)?.link?.settle();
  }

  changeWay(vmId: string, change: ChangeWay): void {
    this.#entries.get(vmId)?.link?.changeWay(change);
  }

  release(vmId: string): void {
    this.#entries.get(vmId)?.link?.release();
  }

  shutdown(vmId: string): void {
    this.#entries.get(vmId)?.link?.send({ type: 'shutdown' });
  }

  /** What a VM said before it ended is still acted on: a login that comes too late must be refused in words (I5). */
  async drop(vmId: string): Promise<void> {
    const entry = this.#entries.get(vmId);
    if (entry === undefined) return;
    entry.dropped = true;
    const { ended } = entry;
    await Promise.race([ended, sleep(this.#deps.clock, LAST_WORDS_MS)]);
    this.#cut(vmId, entry);
    // Nothing more is read; what is being acted on comes to its end.
    await ended;
  }

  /** Hands the person's answer to the CLI once; false when there is no link or it ended before the agent confirmed. */
  async answer(vmId: string, answer: Answer): Promise<boolean> {
    const link = this.#entries.get(vmId)?.link;
    return link?.connected === true ? link.answer(answer) : false;
  }

  close(): void {
    for (const [vmId, entry] of this.#entries) this.#cut(vmId, entry);
  }

  #cut(vmId: string, entry: Entry): void {
    entry.dropped = true;
    entry.link?.close();
    this.#entries.delete(vmId);
  }

  async #keep(vmId: string, entry: Entry): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!entry.dropped) {
      const stream = await this.#deps.connect(vmId).catch(() => null);
      if (stream !== null) {
        const connectedMs = await this.#use(vmId, entry, stream);
        if (connectedMs > LASTING_MS) retryMs = FIRST_RETRY_MS;
      }
      await sleep(this.#deps.clock, retryMs);
      retryMs = Math.min(MAX_RETRY_MS, retryMs * 1.15);
    }
  }

  /** Runs one link to its end; returns how long it was one after the agent's hello. */
  async #use(vmId: string, entry: Entry, stream: LinkStream): Promise<number> {
    if (entry.dropped) {
      stream.destroy();
      return 0;
    }
    const { reports, onFact, clock, awake, log } = this.#deps;
    const link = new AgentLink({ vmId, stream, reports, clock, log, onFact });
    entry.link = link;
    const cancelHello = clock.after(HELLO_TIMEOUT_MS, () => link.connected || link.close());
    entry.ended = link.run();
    await entry.ended;
    cancelHello();
    const connectedMs = link.connected ? link.connectedMs : 0;
    if (link.connected) entry.dialledAt = awake.nowMs();
    entry.storeError = link.storeError;
    entry.link = null;
    entry.ended = null;
    onFact();
    return connectedMs;
  }
}
