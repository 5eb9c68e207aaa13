/** A test fixture: use cases in memory, stateful and strict, so that the transport is tested over real connections without a database. */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Duplex } from 'node:stream';
import type {
  AnswerBody,
  Credential,
  Leftover,
  OutputChunk,
  Session,
  SessionOffer,
  SessionPush,
} from '@vestibule/protocol/api';
import type { CredentialFiles } from '@vestibule/protocol/agent-messages';
import { AppError } from '@vestibule/protocol/errors';
import { isTerminal } from '@vestibule/protocol/session';
import type { SessionStep } from '@vestibule/protocol/session';
import { createSocketPair } from '../live-view/testing-socket-pair.ts';
import type { ApiPorts } from './ports.ts';

type OutputListener = Parameters<ApiPorts['outputs']['follow']>[2];
type Listener = { afterSeq: number; onPush: (push: SessionPush) => void; onEnd: () => void };
type Kept = { session: Session; steps: SessionStep[]; listeners: Set<Listener>; display: EventEmitter };

export class TestingPorts implements ApiPorts {
  readonly #kept = new Map<string, Kept>();
  /** The session of each ticket that was not taken yet. */
  readonly #tickets = new Map<string, string>();
  readonly answersGiven: AnswerBody[] = [];
  /** What `offer` answers, by session; none is `offer_not_found`. */
  readonly offers = new Map<string, SessionOffer>();
  readonly #written: OutputChunk[] = [];
  readonly #onlookers = new Map<OutputListener, number>();
  readonly revoked: string[] = [];
  readonly accepted: string[] = [];
  readonly imported: CredentialFiles[] = [];
  left: Leftover[] = [];
  /** Null: there is none. */
  machineLog: string | null = null;
  isReady = true;
  /** Thrown by `providers.list`, to see what becomes of an unexpected error. */
  unexpected: Error | null = null;

  readonly providers = {
    list: () => {
      if (this.unexpected !== null) return Promise.reject(this.unexpected);
      const none = { requirements: [], fileProblems: [], providers: [] };
      return Promise.resolve({ runtime: 'fake' as const, sharedKernel: false, ...none });
    },
    files: (provider: string) => {
      if (provider !== 'demo') throw new AppError('unknown_provider');
      return { provider, name: 'Demo', files: [{ path: '.demo/auth.json', format: 'json', required: ['token'] }] };
    },
    acceptNotice: async (provider: string, hash: string) => {
      if (hash !== 'present') throw new AppError('notice_changed');
      this.accepted.push(provider);
    },
  };

  readonly sessions: ApiPorts['sessions'] = {
    create: async ({ userId, provider }) => {
      if (provider !== 'demo') throw new AppError('unknown_provider', 'Known providers: demo.');
      const active = [...this.#kept.values()].find(
        ({ session }) => session.userId === userId && !isTerminal(session.status),
      );
      if (active !== undefined) return { session: active.session, created: false };
      const session = toSession(randomUUID(), userId);
      this.#kept.set(session.sessionId, { session, steps: [], listeners: new Set(), display: new EventEmitter() });
      return { session, created: true };
    },
    get: async (sessionId) => this.#get(sessionId).session,
    list: async (userId) =>
      [...this.#kept.values()].map(({ session }) => session).filter((one) => one.userId === userId),
    timeline: async (sessionId) => ({ sessionId, steps: this.#get(sessionId).steps }),
    cancel: async (sessionId) => {
      const { session } = this.#get(sessionId);
      if (session.status === 'completed') throw new AppError('session_ended', 'The session has completed.');
      return this.change(sessionId, 'session_cancelled', { status: 'cancelled', liveView: 'ended' });
    },
    answer: async (sessionId, body) => {
      this.answersGiven.push(body);
      return this.change(sessionId, 'answer_received', {});
    },
    changeMode: async (sessionId, mode) => {
      const { session } = this.#get(sessionId);
      if (isTerminal(session.status)) throw new AppError('session_ended', 'The session has ended.');
      return this.change(sessionId, 'mode_changed', { mode, way: session.way + 1 });
    },
    offer: async (sessionId) => {
      this.#get(sessionId);
      const offer = this.offers.get(sessionId);
      if (offer === undefined) throw new AppError('offer_not_found');
      return offer;
    },
  };

  /** Of whichever session: what was written belongs to all. */
  readonly outputs: ApiPorts['outputs'] = {
    list: async (sessionId) => {
      this.#get(sessionId);
      return this.#written;
    },
    follow: async (sessionId, afterN, listener) => {
      this.#get(sessionId);
      for (const chunk of this.#written) if (chunk.n > afterN) listener.onChunk(chunk);
      this.#onlookers.set(listener, afterN);
      return () => this.#onlookers.delete(listener);
    },
  };

  readonly leftovers: ApiPorts['leftovers'] = {
    find: async () => ({ hostId: 'host_a', leftovers: this.left }),
    remove: async () => ({ hostId: 'host_a', found: this.left.splice(0), remaining: [] }),
  };

  readonly machineLogs: ApiPorts['machineLogs'] = {
    read: async (sessionId) => {
      this.#get(sessionId);
      if (this.machineLog === null) throw new AppError('machine_log_not_found');
      return this.machineLog;
    },
  };

  readonly pushes: ApiPorts['pushes'] = {
    subscribe: async (sessionId, afterSeq, { onPush, onEnd }) => {
      const { session, steps, listeners } = this.#get(sessionId);
      const listener = { afterSeq, onPush, onEnd };
      onPush({ session, steps: steps.filter(({ seq }) => seq > afterSeq) });
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };

  readonly liveView: ApiPorts['liveView'] = {
    issueTicket: async (sessionId) => {
      const ticket = randomUUID();
      this.#tickets.set(ticket, this.#get(sessionId).session.sessionId);
      return { ticket, expiresInMs: 60_000 };
    },
    takeTicket: async (ticket) => {
      const sessionId = this.#tickets.get(ticket);
      if (sessionId === undefined) throw new AppError('invalid_ticket');
      this.#tickets.delete(ticket);
      return sessionId;
    },
    open: async (sessionId, signal) => {
      const [display] = (await once(this.#get(sessionId).display, 'ready', { signal })) as [Duplex];
      return display;
    },
  };

  readonly credentials: ApiPorts['credentials'] = {
    list: async (userId) => [toCredential(userId)],
    revoke: async (userId, provider) => {
      if (provider !== 'demo') throw new AppError('credential_not_found');
      this.revoked.push(userId);
    },
    import: async (userId, provider, files) => {
      if (provider !== 'demo') throw new AppError('unknown_provider');
      this.imported.push(files);
      return toCredential(userId);
    },
  };

  ready: () => Promise<void> = async () => {
    if (!this.isReady) throw new Error('connect ECONNREFUSED 10.0.0.7:5432');
  };

  metrics(): Promise<string> {
    return Promise.resolve('vestibule_sessions_active 0\n');
  }

  write(text: string): void {
    const chunk = { n: this.#written.length + 1, text };
    this.#written.push(chunk);
    for (const [listener, afterN] of this.#onlookers) if (chunk.n > afterN) listener.onChunk(chunk);
  }

  /** Nothing more is written. */
  endOutput(): void {
    for (const listener of this.#onlookers.keys()) listener.onEnd();
  }

  /** What is written cannot be read any more. */
  breakOutput(): void {
    for (const listener of this.#onlookers.keys()) listener.onBreak();
  }

  /** How many follow what is written. */
  countOnlookers(): number {
    return this.#onlookers.size;
  }

  /** Records one step and tells everybody who listens. */
  change(
    sessionId: string,
    type: SessionStep['type'],
    patch: Partial<Session>,
    data: Record<string, unknown> = {},
  ): Session {
    const kept = this.#get(sessionId);
    const step: SessionStep = {
      seq: kept.steps.length + 1,
      at: new Date().toISOString(),
      type,
      actor: 'controller',
      data,
    };
    kept.steps.push(step);
    kept.session = { ...kept.session, ...patch, seq: step.seq };
    for (const { onPush } of kept.listeners) onPush({ session: kept.session, steps: [step] });
    return kept.session;
  }

  /** The VM is gone: nothing more can happen. */
  end(sessionId: string): void {
    for (const { onEnd } of this.#get(sessionId).listeners) onEnd();
  }

  /** The display that live views wait for becomes ready; returns its own end, as the VM holds it. */
  async showDisplay(sessionId: string): Promise<Duplex> {
    const [ours, theirs] = await createSocketPair();
    this.#get(sessionId).display.emit('ready', theirs);
    return ours;
  }

  failDisplay(sessionId: string, error: Error): void {
    this.#get(sessionId).display.emit('error', error);
  }

  /** How many live views wait for the display. */
  countWaiting(sessionId: string): number {
    return this.#get(sessionId).display.listenerCount('ready');
  }

  countListeners(sessionId: string): number {
    return this.#get(sessionId).listeners.size;
  }

  #get(sessionId: string): Kept {
    const kept = this.#kept.get(sessionId);
    if (kept === undefined) throw new AppError('session_not_found');
    return kept;
  }
}

function toSession(sessionId: string, userId: string): Session {
  const now = new Date().toISOString();
  return {
    sessionId,
    userId,
    provider: 'demo',
    status: 'started',
    mode: 'vm_browser',
    stage: 'starting_vm',
    createdAt: now,
    updatedAt: now,
    expiresAt: now,
    remainingMs: 600_000,
    completedAt: null,
    endedAt: null,
    errorCode: null,
    errorMessage: null,
    errorStage: null,
    account: null,
    accountPlan: null,
    grade: null,
    restriction: {},
    mayUse: false,
    way: 1,
    offered: false,
    prompt: null,
    credentialVersion: null,
    capabilities: [],
    liveView: 'preparing',
    waitingFor: null,
    vm: null,
    lateRefused: false,
    seq: 0,
  };
}

/** Holds a field that no answer may have. */
function toCredential(userId: string): Credential {
  const credential = {
    userId,
    provider: 'demo',
    account: 'ada@example.org',
    version: 1,
    source: 'import' as const,
    grade: 'file_complete' as const,
    sourceSessionId: null,
    expiresAt: null,
    createdAt: new Date().toISOString(),
    revokedAt: null,
    encryptedData: 'canary-sealed-bytes',
  };
  return credential;
}
