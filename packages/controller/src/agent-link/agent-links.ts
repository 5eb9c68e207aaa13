/** The links to all agents of this host: dials each VM until its agent answers, and again after a link ended, until told to drop it. */
import { type Clock, sleep } from '../clock.ts';
import type { AgentReports } from '../session/agent-reports.ts';
import type { LinkFact } from '../session/plan.ts';
import type { Links } from '../session/reconciler-ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import { AgentLink, type LinkStream } from './agent-link.ts';

/** A guest starts within tens of milliseconds (`process`) to tens of seconds (`qemu` without KVM): ask often at first. */
const FIRST_RETRY_MS = 5;
const MAX_RETRY_MS = 250;
const HELLO_TIMEOUT_MS = 10_000;

/** A link that lasted less is no reason to ask often again: the agent sends what cannot be used. */
const LASTING_MS = 1_000;

const IDLE: LinkFact = {
  state: 'idle',
  stateMs: 0,
  askedMs: null,
  settled: false,
  released: false,
  storeError: null,
};

export type AgentLinksDeps = {
  connect: (vmId: string) => Promise<LinkStream>;
  reports: Pick<AgentReports, 'greet' | 'report'>;
  /** A fact changed: the reconciler looks again. */
  onFact: () => void;
  clock: Clock;
  log: Logger;
};

type Entry = { link: AgentLink | null; dropped: boolean; storeError: string | null; dialledAt: number };

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
    if (link === null) {
      const stateMs = this.#deps.clock.nowMs() - entry.dialledAt;
      return { ...IDLE, state: 'dialling', stateMs, storeError: entry.storeError };
    }
    const { settled, released, askedMs, connectedMs: stateMs, storeError } = link;
    return { state: 'connected', stateMs, askedMs, settled, released, storeError };
  }

  dial(vmId: string): void {
    if (this.#entries.has(vmId)) return;
    const entry: Entry = { link: null, dropped: false, storeError: null, dialledAt: this.#deps.clock.nowMs() };
    this.#entries.set(vmId, entry);
    void this.#keep(vmId, entry);
  }

  settle(vmId: string): void {
    this.#entries.get(vmId)?.link?.settle();
  }

  release(vmId: string): void {
    this.#entries.get(vmId)?.link?.release();
  }

  shutdown(vmId: string): void {
    this.#entries.get(vmId)?.link?.send({ type: 'shutdown' });
  }

  drop(vmId: string): void {
    const entry = this.#entries.get(vmId);
    if (entry === undefined) return;
    entry.dropped = true;
    entry.link?.close();
    this.#entries.delete(vmId);
  }

  /** Hands the person's answer to the CLI once; false when there is no link or it ended before the agent confirmed. */
  async answer(vmId: string, answerId: string, text: string): Promise<boolean> {
    const link = this.#entries.get(vmId)?.link;
    return link?.connected === true ? link.answer(answerId, text) : false;
  }

  close(): void {
    for (const vmId of this.#entries.keys()) this.drop(vmId);
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
    const { reports, onFact, clock, log } = this.#deps;
    const link = new AgentLink({ vmId, stream, reports, clock, log, onFact });
    entry.link = link;
    const cancelHello = clock.after(HELLO_TIMEOUT_MS, () => link.connected || link.close());
    await link.run();
    cancelHello();
    const connectedMs = link.connected ? link.connectedMs : 0;
    if (link.connected) entry.dialledAt = clock.nowMs();
    entry.storeError = link.storeError;
    entry.link = null;
    onFact();
    return connectedMs;
  }
}
