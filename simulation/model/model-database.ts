/**
 * The tables as a model: rows in memory, statements that are atomic, a journal to undo them, and the rules that the database itself
 * enforces (constraints and triggers of `db/migrations`), apart from the guards of the stores. Knows no time and no product code but words.
 */
import type { Evidence, SessionStep, Status } from '@vestibule/protocol/session';
import { isTerminal } from '@vestibule/protocol/session';
import type { HostOffer } from '@vestibule/controller/fleet/vm-store';
import type { SessionRow, VmRow } from '@vestibule/controller/session/session-row';

export type ModelSession = Omit<
  SessionRow,
  | 'vm'
  | 'account'
  | 'accountPlan'
  | 'evidence'
  | 'offered'
  | 'credentialVersion'
  | 'hostSilentMs'
  | 'now'
  | 'seq'
  | 'updatedAt'
> & {
  vmId: string | null;
  credentialId: string | null;
  seq: number;
  updatedAt: Date;
};

export type ModelVm = Omit<VmRow, 'exitReason'> & {
  bootNonce: string | null;
  claimedAt: Date | null;
  exitSignal: string | null;
  exitReason: string | null;
  goneAt: Date | null;
};

export type ModelCredential = {
  credentialId: string;
  userId: string;
  provider: string;
  account: string | null;
  accountPlan: string | null;
  organization: string | null;
  evidence: Evidence[];
  encryptedData: Buffer;
  keyId: string;
  version: number;
  source: 'sign_in' | 'import';
  sourceSessionId: string | null;
  contentHash: string | null;
};

export type ModelHost = { runtime: string; offer: HostOffer; seenAt: Date };

/** As `pg` reports a refusal; `code` is the SQLSTATE. */
export class ModelRefusal extends Error {
  readonly code: string;

  constructor(code: '23505' | '23514' | '23503', message: string) {
    super(message);
    this.code = code;
  }
}

const AFTER_LOST: ReadonlySet<string> = new Set(['lost', 'draining', 'gone']);
const MOVES: Readonly<Partial<Record<Status, Status>>> = { started: 'vm_created', vm_created: 'awaiting_user_auth' };

export class ModelDatabase {
  readonly sessions = new Map<string, ModelSession>();
  readonly vms = new Map<string, ModelVm>();
  readonly credentials = new Map<string, ModelCredential>();
  readonly events = new Map<string, SessionStep[]>();
  readonly hosts = new Map<string, ModelHost>();
  readonly activeKeys = new Set<string>();
  #undo: (() => void)[] = [];
  #touched: (ModelSession | ModelCredential)[] = [];
  /** What the work since the last commit or rollback would hold locked: rows and entries of unique indexes. */
  readonly locks = new Set<string>();

  /** Undoes all since the last `commit`. */
  rollback(): void {
    for (const undo of this.#undo.toReversed()) undo();
    this.#undo = [];
    this.#touched = [];
    this.locks.clear();
  }

  /** Looks at the deferred constraints; throws, and undoes everything, when one is violated. */
  commit(): void {
    try {
      for (const row of this.#touched) {
        if ('contentHash' in row) this.#requireCompletion(row);
        else this.#requireCredential(row);
      }
    } catch (error) {
      this.rollback();
      throw error;
    }
    this.#undo = [];
    this.#touched = [];
    this.locks.clear();
  }

  /** One statement: all of it, or, when it throws, nothing. */
  statement<T>(work: () => T): T {
    const [undone, touched] = [this.#undo.length, this.#touched.length];
    try {
      return work();
    } catch (error) {
      for (const undo of this.#undo.splice(undone).toReversed()) undo();
      this.#touched.length = touched;
      throw error;
    }
  }

  insertSession(session: ModelSession): void {
    this.locks.add(`active ${session.userId} ${session.provider}`);
    if (session.status !== 'started') throw new ModelRefusal('23514', 'a session begins as started');
    this.#requireOneActive(session);
    this.#set(this.sessions, session.sessionId, session);
    this.#set(this.events, session.sessionId, []);
  }

  updateSession(old: ModelSession, change: Partial<ModelSession>): ModelSession {
    const now = { ...old, ...change };
    if (isTerminal(old.status)) {
      const notes = new Set(['updatedAt', 'seq', 'lateRefusedAt']);
      for (const key of Object.keys(change) as (keyof ModelSession)[]) {
        if (!notes.has(key) && now[key] !== old[key]) throw new ModelRefusal('23514', `${old.sessionId} ended`);
      }
    } else if (now.status !== old.status && !isTerminal(now.status) && MOVES[old.status] !== now.status) {
      throw new ModelRefusal('23514', `a session does not move from ${old.status} to ${now.status}`);
    }
    if (now.way !== old.way + (now.mode === old.mode ? 0 : 1))
      throw new ModelRefusal('23514', 'the way counts up with the mode');
    if (now.seq < old.seq) throw new ModelRefusal('23514', 'events only grow');
    if (old.vmId !== null && now.vmId !== old.vmId) throw new ModelRefusal('23514', 'a session keeps its VM');
    if ((now.status === 'completed') !== (now.credentialId !== null))
      throw new ModelRefusal('23514', 'completed_has_credential');
    if ((now.status === 'completed') !== (now.completedAt !== null))
      throw new ModelRefusal('23514', 'completed_is_dated');
    if (isTerminal(now.status) !== (now.endedAt !== null)) throw new ModelRefusal('23514', 'ended_is_dated');
    const hasReason = now.status === 'failed' || now.status === 'timeout' || now.status === 'cancelled';
    if (hasReason !== (now.errorCode !== null)) throw new ModelRefusal('23514', 'not_completed_has_reason');
    if ((now.status === 'vm_created' || now.status === 'awaiting_user_auth') && now.vmId === null)
      throw new ModelRefusal('23514', 'vm_status_has_vm');
    this.locks.add(`session ${now.sessionId}`);
    // Who inserts another waits to see what becomes of this one.
    if (!isTerminal(old.status)) this.locks.add(`active ${now.userId} ${now.provider}`);
    this.#set(this.sessions, now.sessionId, now);
    if (now.status === 'completed') this.#touched.push(now);
    return now;
  }

  appendEvent(sessionId: string, step: SessionStep): void {
    const steps = this.events.get(sessionId);
    if (steps === undefined) throw new ModelRefusal('23503', 'an event of no session');
    if (steps.some(({ seq }) => seq === step.seq)) throw new ModelRefusal('23505', 'auth_session_events_seq');
    steps.push(step);
    this.#undo.push(() => void steps.splice(steps.indexOf(step), 1));
  }

  insertVm(vm: ModelVm): void {
    this.locks.add(`vm ${vm.vmId}`).add(`slot ${vm.hostId} ${vm.slot}`);
    if (this.vms.has(vm.vmId)) throw new ModelRefusal('23505', 'browser_vms_pkey');
    for (const other of this.vms.values()) {
      if (other.hostId === vm.hostId && other.slot === vm.slot && other.state !== 'gone')
        throw new ModelRefusal('23505', 'browser_vms_one_vm_a_slot');
    }
    this.#set(this.vms, vm.vmId, vm);
  }

  updateVm(old: ModelVm, change: Partial<ModelVm>): ModelVm {
    const now = { ...old, ...change };
    if (old.exitedAt !== null && (now.exitCode !== old.exitCode || now.exitReason !== old.exitReason))
      throw new ModelRefusal('23514', `how ${old.vmId} ended does not change`);
    if (old.state === 'gone' && now.state !== 'gone') throw new ModelRefusal('23514', `${old.vmId} is gone`);
    if (old.state === 'lost' && !AFTER_LOST.has(now.state)) throw new ModelRefusal('23514', `${old.vmId} is lost`);
    this.locks.add(`vm ${now.vmId}`);
    this.#set(this.vms, now.vmId, now);
    return now;
  }

  insertCredential(credential: ModelCredential): void {
    for (const other of this.credentials.values()) {
      const isSame = other.userId === credential.userId && other.provider === credential.provider;
      if (isSame && other.version === credential.version)
        throw new ModelRefusal('23505', 'provider_credentials_version');
      if (credential.sourceSessionId !== null && other.sourceSessionId === credential.sourceSessionId)
        throw new ModelRefusal('23505', 'one_version_a_session');
    }
    this.#set(this.credentials, credential.credentialId, credential);
    this.#touched.push(credential);
  }

  setHost(hostId: string, host: ModelHost): void {
    this.#set(this.hosts, hostId, host);
  }

  #requireOneActive({ userId, provider }: ModelSession): void {
    for (const other of this.sessions.values()) {
      if (other.userId === userId && other.provider === provider && !isTerminal(other.status))
        throw new ModelRefusal('23505', 'auth_sessions_one_active');
    }
  }

  #requireCredential(session: ModelSession): void {
    const credential = session.credentialId === null ? undefined : this.credentials.get(session.credentialId);
    if (credential?.sourceSessionId !== session.sessionId || credential.userId !== session.userId)
      throw new ModelRefusal('23503', 'completed_by_own_credential');
  }

  #requireCompletion(credential: ModelCredential): void {
    if (credential.sourceSessionId === null) return;
    const session = this.sessions.get(credential.sourceSessionId);
    if (session?.status !== 'completed' || session.credentialId !== credential.credentialId)
      throw new ModelRefusal('23514', 'a credential is stored without completing its session');
  }

  #set<T>(table: Map<string, T>, key: string, row: T): void {
    const old = table.get(key);
    table.set(key, row);
    this.#undo.push(() => (old === undefined ? table.delete(key) : table.set(key, old)));
  }
}
