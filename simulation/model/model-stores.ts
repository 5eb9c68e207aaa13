/** The product's stores over the model: the same shape, each statement run by whoever decides when it happens and what goes wrong. */
import { isTerminal, type SessionStep, type TerminalStatus } from '@vestibule/protocol/session';
import type { CompletionStore } from '@vestibule/controller/session/completion-store';
import type { SessionStore } from '@vestibule/controller/session/session-store';
import type { DestroyCause } from '@vestibule/controller/session/session-row';
import type { HostOffer, VmStore } from '@vestibule/controller/fleet/vm-store';
import { type ModelDatabase, ModelRefusal } from './model-database.ts';
import * as statements from './model-statements.ts';
import * as ways from './way-statements.ts';

/** Runs one transaction: `work` is done at one moment, whole or not at all. */
export type Run = <T>(name: StatementName, work: (db: ModelDatabase, now: Date) => T) => Promise<T>;
export type StatementName = keyof SessionStore | keyof VmStore | keyof CompletionStore;

const NOTHING_OFFERED: HostOffer = { peerUrl: null, providers: [], maxVms: 0 };

export type ModelStoresDeps = {
  run: Run;
  graceMs: number;
  newSessionId: () => string;
  onChange: (sessionId: string) => void;
  onEnded: (status: TerminalStatus) => void;
};

export type ModelStores = { store: SessionStore; vms: VmStore; completions: CompletionStore };

export function createModelStores(deps: ModelStoresDeps): ModelStores {
  const { run, graceMs, newSessionId, onChange, onEnded } = deps;

  async function change(sessionId: string, changed: Promise<boolean>): Promise<boolean> {
    if (!(await changed)) return false;
    onChange(sessionId);
    return true;
  }

  const store: SessionStore = {
    async end(sessionId, ending) {
      const ended = await change(
        sessionId,
        run('end', (db, now) => statements.end(db, sessionId, ending, graceMs, now)),
      );
      if (ended) onEnded('failed');
      return ended;
    },
    async create(session) {
      try {
        const id = await run('create', (db, now) => statements.insertSession(db, newSessionId(), session, now));
        onChange(id);
        return id;
      } catch (error) {
        if (error instanceof ModelRefusal && error.code === '23505') return null;
        throw error;
      }
    },
    async supersede(oldId, ending, session) {
      const id = await run('supersede', (db, now) =>
        statements.end(db, oldId, ending, graceMs, now)
          ? statements.insertSession(db, newSessionId(), session, now, oldId)
          : null,
      );
      onChange(oldId);
      if (id !== null) onChange(id);
      return id;
    },
    find: (sessionId) =>
      run('find', (db, now) => {
        const session = db.sessions.get(sessionId);
        return session === undefined ? null : statements.toRow(db, session, now);
      }),
    findMany: (sessionIds) =>
      run('findMany', (db, now) =>
        sessionIds.flatMap((id) => {
          const session = db.sessions.get(id);
          return session === undefined ? [] : [statements.toRow(db, session, now)];
        }),
      ),
    listStepsAfter: (seen) =>
      run('listStepsAfter', (db) => {
        const found = new Map<string, SessionStep[]>();
        for (const [id, afterSeq] of seen) {
          const steps = (db.events.get(id) ?? []).filter(({ seq }) => seq > afterSeq);
          if (steps.length > 0) found.set(id, steps);
        }
        return found;
      }),
    findActive: (userId, provider) =>
      run('findActive', (db, now) => {
        for (const one of db.sessions.values()) {
          if (one.userId === userId && one.provider === provider && !isTerminal(one.status))
            return statements.toRow(db, one, now);
        }
        return null;
      }),
    listByUser: (userId) =>
      run('listByUser', (db, now) =>
        [...db.sessions.values()].filter((one) => one.userId === userId).map((one) => statements.toRow(db, one, now)),
      ),
    listUnsettled: (hostId, holdMs) =>
      run('listUnsettled', (db, now) => statements.listUnsettled(db, hostId, holdMs, now)),
    listPlaced: (hostId) => run('listPlaced', (db, now) => ways.listPlaced(db, hostId, now)),
    countActive: () =>
      run('countActive', (db) => [...db.sessions.values()].filter(({ status }) => !isTerminal(status)).length),
    listSteps: (sessionId, afterSeq) =>
      run('listSteps', (db) => (db.events.get(sessionId) ?? []).filter(({ seq }) => seq > afterSeq)),
    listBehind: (seen) =>
      run('listBehind', (db) => [...seen].flatMap(([id, seq]) => ((db.sessions.get(id)?.seq ?? 0) > seq ? [id] : []))),
    append: (sessionId, step, activeOnly?: boolean) =>
      change(
        sessionId,
        run('append', (db, now) => statements.append(db, sessionId, step, activeOnly ?? true, now)),
      ),
    appendOnce: (sessionId, step) =>
      change(
        sessionId,
        run('appendOnce', (db, now) => statements.appendOnce(db, sessionId, step, now)),
      ),
    addCapability: (sessionId, capability, afterMs) =>
      change(
        sessionId,
        run('addCapability', (db, now) => statements.addCapability(db, sessionId, capability, afterMs, now)),
      ),
    setWaiting: (sessionId, waitingFor, stage, hostId) =>
      change(
        sessionId,
        run('setWaiting', (db, now) => statements.setWaiting(db, sessionId, waitingFor, stage, hostId, now)),
      ),
    claim: (sessionId, vmId, data) =>
      change(
        sessionId,
        run('claim', (db, now) => statements.claim(db, sessionId, vmId, data, now)),
      ),
    openUrl: (sessionId, data) =>
      change(
        sessionId,
        run('openUrl', (db, now) => statements.openUrl(db, sessionId, data, now)),
      ),
    changeMode: (sessionId, mode) =>
      change(
        sessionId,
        run('changeMode', (db, now) => ways.changeMode(db, sessionId, mode, now)),
      ),
    showPrompt: (sessionId, text) =>
      change(
        sessionId,
        run('showPrompt', (db, now) => ways.showPrompt(db, sessionId, text, now)),
      ),
    beginSettling: (sessionId, why) =>
      change(
        sessionId,
        run('beginSettling', (db, now) => statements.beginSettling(db, sessionId, why, now)),
      ),
    recordLateRefusal: (sessionId, handoverId, reason) =>
      change(
        sessionId,
        run('recordLateRefusal', (db, now) => statements.recordLateRefusal(db, sessionId, handoverId, reason, now)),
      ),
  };

  async function tell(changed: Promise<string | null>): Promise<boolean> {
    const sessionId = await changed;
    if (sessionId !== null) onChange(sessionId);
    return sessionId !== null;
  }

  const vms: VmStore = {
    registerHost: (hostId, runtime, offer?: HostOffer) =>
      run('registerHost', (db, now) => db.setHost(hostId, { runtime, offer: offer ?? NOTHING_OFFERED, seenAt: now })),
    findPeerUrl: (hostId) => run('findPeerUrl', (db) => db.hosts.get(hostId)?.offer.peerUrl ?? null),
    countPlaces: () => run('countPlaces', (db, now) => statements.countPlaces(db, now)),
    readInstalls: (sessionId, provider, hostId) =>
      run('readInstalls', (db, now) => statements.readInstalls(db, sessionId, provider, hostId, now)),
    markLost: (vmId, holdMs) => tell(run('markLost', (db, now) => statements.markLost(db, vmId, holdMs, now))),
    async place(sessionId, placement) {
      try {
        const placed = run('place', (db, now) => statements.place(db, sessionId, placement, now));
        return await change(sessionId, placed);
      } catch (error) {
        if (error instanceof ModelRefusal && error.code === '23505') return false;
        throw error;
      }
    },
    greet: (vmId, bootNonce) => run('greet', (db) => statements.greet(db, vmId, bootNonce)),
    markClaimed: (vmId) => run('markClaimed', (db, now) => statements.markClaimed(db, vmId, now)),
    markDraining: (vmId) => run('markDraining', (db) => statements.markDraining(db, vmId)),
    recordExit: (vmId, exit) => tell(run('recordExit', (db, now) => statements.recordExit(db, vmId, exit, now))),
    markGone: (vmId, cause?: DestroyCause) =>
      tell(run('markGone', (db, now) => statements.markGone(db, vmId, cause ?? 'grace_over', now))),
    listNotGone: (hostId) =>
      run('listNotGone', (db) => {
        const ours = [...db.vms.values()].filter((vm) => vm.hostId === hostId && vm.state !== 'gone');
        return new Set(ours.map(({ vmId }) => vmId));
      }),
  };

  const completions: CompletionStore = {
    readHandover: (sessionId, vmId, handover) =>
      run('readHandover', (db) => statements.readHandover(db, sessionId, vmId, handover)),
    async complete(sessionId, vmId, handover, sealed) {
      const completed = run('complete', (db, now) =>
        statements.complete(db, sessionId, vmId, handover, sealed, graceMs, now),
      );
      if (!(await change(sessionId, completed))) return false;
      onEnded('completed');
      return true;
    },
  };
  return { store, vms, completions };
}
