/**
 * One link to one agent: reads its messages in order, each handled before the next is read, so that "the link was read to its end"
 * means every message was acted on. Knows no storage; a message that cannot be acted on ends the link, and the agent offers again.
 */
import type { Duplex } from 'node:stream';
import type { AgentMessage, ControllerMessage, Handover } from '@vestibule/protocol/agent-messages';
import { agentMessageSchema, MAX_LINE_BYTES } from '@vestibule/protocol/agent-messages';
import { type Clock, sleep } from '../clock.ts';
import type { AgentReport, AgentReports, Greeting } from '../session/agent-reports.ts';
import type { ChangeWay } from '../session/reconciler-ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readLines } from './line-reader.ts';

/** Between two attempts to store a hand-over. */
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;

export type Answer = Omit<Extract<ControllerMessage, { type: 'answer' }>, 'type'>;

/** What a link needs of a duplex stream. */
export type LinkStream = AsyncIterable<Buffer> &
  Pick<Duplex, 'destroyed'> & {
    write(line: string): unknown;
    destroy(): unknown;
    on(event: 'error', listener: (error: Error) => void): unknown;
  };

export type AgentLinkDeps = {
  vmId: string;
  stream: LinkStream;
  reports: Pick<AgentReports, 'greet' | 'report'>;
  clock: Clock;
  log: Logger;
  /** Called when the link's fact changed (greeted, settled, store error) . */
  onFact: () => void;
};

export class AgentLink {
  readonly #deps: AgentLinkDeps;
  #greeting: Greeting | null = null;
  #settleId: string | null = null;
  #settles = 0;
  /** The last question was answered; `settled` follows when nothing else is left to be read. */
  #isAnswered = false;
  #askedAt: number | null = null;
  #connectedAt = 0;
  #closed = false;
  readonly #answers = new Map<string, (delivered: boolean) => void>();
  settled = false;
  released = false;
  /** The way that the agent was told last. */
  toldWay: number | null = null;
  storeError: string | null = null;

  constructor(deps: AgentLinkDeps) {
    this.#deps = deps;
  }

  get connected(): boolean {
    return this.#greeting !== null;
  }

  /** Since the agent was accepted, by the monotonic clock. */
  get connectedMs(): number {
    return this.#deps.clock.nowMs() - this.#connectedAt;
  }

  get askedMs(): number | null {
    return this.#askedAt === null ? null : this.#deps.clock.nowMs() - this.#askedAt;
  }

  /** Resolves when the link has ended and everything read from it was acted on. Never rejects. */
  async run(): Promise<void> {
    const { stream, log, vmId } = this.#deps;
    stream.on('error', (error) => log.debug({ vmId, err: error }, 'the agent link broke'));
    try {
      await this.#readToEnd(readLines(stream, MAX_LINE_BYTES));
    } catch (error) {
      if (this.#closed) log.debug({ vmId }, 'the agent link was closed');
      else log.warn({ vmId, err: error }, 'the agent link broke');
    } finally {
      stream.destroy();
      for (const done of this.#answers.values()) done(false);
    }
  }

  send(message: ControllerMessage): void {
    if (!this.#deps.stream.destroyed) this.#deps.stream.write(`${JSON.stringify(message)}\n`);
  }

  settle(): void {
    if (this.#settleId !== null && !this.settled) return;
    this.settled = false;
    this.#isAnswered = false;
    this.#settles += 1;
    this.#settleId = `settle-${this.#settles}`;
    this.#askedAt = this.#deps.clock.nowMs();
    this.send({ type: 'settle', settleId: this.#settleId });
  }

  changeWay(change: ChangeWay): void {
    this.toldWay = change.way;
    this.send(change);
  }

  release(): void {
    this.released = true;
    this.send({ type: 'release' });
  }

  /** Resolves to whether the CLI got the answer; false when the agent refused it or the link ends first. */
  answer(answer: Answer): Promise<boolean> {
    return new Promise((resolve) => {
      this.#answers.set(answer.answerId, resolve);
      this.send({ type: 'answer', ...answer });
    });
  }

  close(): void {
    this.#closed = true;
    this.#deps.stream.destroy();
  }

  async #readToEnd(lines: AsyncGenerator<string, void>): Promise<void> {
    for (;;) {
      const next = lines.next();
      if (this.#isAnswered) await this.#settleUnless(next);
      const line = await next;
      if (line.done === true) return;
      await this.#take(line.value);
    }
  }

  /** What the agent said after its answer has come already, when handling what was before took long: it is acted on first. */
  async #settleUnless(next: Promise<unknown>): Promise<void> {
    let hasMore = false;
    const note = (): void => void (hasMore = true);
    next.then(note, note);
    await sleep(this.#deps.clock, 0);
    if (hasMore) return;
    this.#isAnswered = false;
    this.settled = true;
    this.#deps.onFact();
  }

  async #take(line: string): Promise<void> {
    const message = toMessage(line);
    if (message.type === 'hello') {
      this.#greeting = await this.#deps.reports.greet(this.#deps.vmId, message);
      if (this.#greeting === null) throw new Error('the agent was not accepted');
      this.#connectedAt = this.#deps.clock.nowMs();
      this.send(this.#greeting.claim);
      this.toldWay = this.#greeting.claim.way;
      this.#deps.onFact();
    } else if (this.#greeting === null) {
      throw new Error('the agent did not say hello first');
    } else if (message.type === 'settled') {
      this.#isAnswered = message.settleId === this.#settleId;
    } else {
      await this.#report(this.#greeting.sessionId, message);
    }
  }

  async #report(sessionId: string, message: AgentReport): Promise<void> {
    const { reports, vmId } = this.#deps;
    if (message.type === 'handover') return this.#takeHandover(sessionId, message);
    const answer = await reports.report(vmId, sessionId, message);
    if (answer !== null) this.send(answer);
    if (message.type === 'answer_delivered' || message.type === 'answer_refused') {
      this.#answers.get(message.answerId)?.(message.type === 'answer_delivered');
      this.#answers.delete(message.answerId);
    }
  }

  /** A VM that has ended offers its login to no other link: what was read is held until the database has taken or refused it. */
  async #takeHandover(sessionId: string, handover: Handover): Promise<void> {
    const { reports, vmId, clock, log, onFact } = this.#deps;
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(MAX_RETRY_MS, waitMs * 2)) {
      try {
        const answer = await reports.report(vmId, sessionId, handover);
        this.storeError = null;
        if (answer !== null) this.send(answer);
        return;
      } catch (error) {
        this.storeError = 'the database did not take it';
        onFact();
        if (this.#closed) throw error;
        log.warn({ vmId, err: error }, 'a hand-over could not be stored; it is tried again');
      }
      await sleep(clock, waitMs);
    }
  }
}

/** An error of a parser may quote the line, which may hold a login (I7). */
function toMessage(line: string): AgentMessage {
  try {
    return agentMessageSchema.parse(JSON.parse(line));
  } catch {
    throw new Error('the agent sent a line that is no message');
  }
}
