/** The use cases of auth sessions that a person or operator asks for. Each records rows and wakes the reconciler; none runs a VM. */
import type { AnswerBody, CreateSessionBody, Session, SessionOffer, Timeline } from '@vestibule/protocol/api';
import { AppError } from '@vestibule/protocol/errors';
import type { TokenKind } from '@vestibule/protocol/provider-definition';
import type { Mode } from '@vestibule/protocol/session';
import { toFailureMessage } from '@vestibule/protocol/session-failure';
import type { Clock } from '../clock.ts';
import type { Answers } from './answers.ts';
import type { Offers } from './offers.ts';
import { toGivenAnswer } from './person-answer.ts';
import type { LinkFact } from './plan.ts';
import type { FindBlocker } from './reconciler-ports.ts';
import { isActive, type SessionRow, toSession } from './session-row.ts';
import type { NewSession, SessionStore } from './session-store.ts';

/** Settling before a newer sign-in takes the place of an active one (I9). */
const SUPERSEDE_SETTLE_MS = 2_000;
/** A program that must be installed first may take this long before the session's own clock starts. */
const INSTALL_ALLOWANCE_MS = 15 * 60_000;

const NOT_CONFIRMED =
  'The answer was given to the sign-in browser, but the program did not confirm it within 5 s. Look at the sign-in before you answer again.';
const NOT_SENT =
  'The sign-in browser could not be reached within 5 s. The program did not get the answer and will not get it later: answer again.';

export type AuthSessionsDeps = {
  store: SessionStore;
  /** Canonical id of a provider that can be used here now in this mode; throws `AppError`. */
  requireProvider: (idOrAlias: string, mode: Mode) => Promise<string>;
  /** The way when the request names none; throws `unknown_provider`. */
  defaultMode: (idOrAlias: string) => Mode;
  links: {
    fact(vmId: string): LinkFact;
    settle(vmId: string): void;
  };
  answers: Pick<Answers, 'give'>;
  offers: Pick<Offers, 'find'>;
  /** What may be given in the way `token`; null when this controller does not know the provider. */
  findTokenKinds: (provider: string) => readonly TokenKind[] | null;
  findBlocker: FindBlocker;
  /** Resolves when the session's rows changed, or after the time given. */
  waitForChange: (sessionId: string, timeoutMs: number) => Promise<void>;
  wake: () => void;
  clock: Clock;
  /** Most VMs at once on all hosts together. */
  countPlaces: () => Promise<number>;
  limits: { sessionMs: number };
};

export function createAuthSessions(deps: AuthSessionsDeps) {
  const { store } = deps;

  async function getRow(sessionId: string): Promise<SessionRow> {
    const row = await store.find(sessionId);
    if (row === null) throw new AppError('session_not_found');
    return row;
  }

  async function getActiveRow(sessionId: string): Promise<SessionRow> {
    const row = await getRow(sessionId);
    if (!isActive(row)) throw new AppError('session_ended', `The session has ended as ${row.status}.`);
    return row;
  }

  /** Asks the agent for what it holds, for two seconds at most: a login that exists wins over the newer attempt. */
  async function settleFor(row: SessionRow): Promise<void> {
    // An agent that was never claimed got no login plan: it holds nothing.
    if (row.vm === null || row.status === 'started') return;
    let asked = false;
    const until = deps.clock.nowMs() + SUPERSEDE_SETTLE_MS;
    for (let leftMs = SUPERSEDE_SETTLE_MS; leftMs > 0; leftMs = until - deps.clock.nowMs()) {
      const fact = deps.links.fact(row.vm.vmId);
      if ((asked && fact.settled) || !(await isStillActive(row.sessionId))) return;
      // The VM is another controller's: it sees the row and asks.
      if (fact.state === 'idle')
        await store.beginSettling(row.sessionId, { cause: 'cancel_requested', code: 'superseded' });
      if (fact.state === 'connected' && !asked) {
        deps.links.settle(row.vm.vmId);
        asked = true;
      }
      await deps.waitForChange(row.sessionId, Math.min(leftMs, 50));
    }
  }

  async function isStillActive(sessionId: string): Promise<boolean> {
    return isActive(await getRow(sessionId));
  }

  /** Whether the way needs what another sign-in on the same host holds: one whose VM is not placed yet waits for it instead. */
  async function assertFree(row: SessionRow, mode: Mode): Promise<void> {
    if (row.vm === null) return;
    const others = await store.listPlaced(row.vm.hostId);
    const blocker = deps.findBlocker({ ...row, mode }, others);
    if (blocker !== null) throw new AppError('provider_unavailable', blocker);
  }

  async function supersede(
    active: SessionRow,
    session: NewSession,
  ): Promise<{ row: SessionRow; created: boolean } | null> {
    await settleFor(active);
    const message = toFailureMessage('superseded');
    const ending = { event: 'cancel_requested', code: 'superseded', message, actor: 'person' } as const;
    const id = await store.supersede(active.sessionId, ending, session);
    if (id !== null) return { row: await getRow(id), created: true };
    const ended = await getRow(active.sessionId);
    return ended.status === 'completed' ? { row: ended, created: false } : null;
  }

  async function createOrFind(session: NewSession, wantsNew: boolean): Promise<{ row: SessionRow; created: boolean }> {
    // Each turn either returns or proves that another request changed the rows meanwhile.
    for (;;) {
      const id = await store.create(session);
      if (id !== null) return { row: await getRow(id), created: true };
      const active = await store.findActive(session.userId, session.provider);
      if (active === null) continue;
      if (!wantsNew) return { row: active, created: false };
      const result = await supersede(active, session);
      if (result !== null) return result;
    }
  }

  return {
    async create(body: CreateSessionBody): Promise<{ session: Session; created: boolean }> {
      const mode = body.mode ?? deps.defaultMode(body.provider);
      const provider = await deps.requireProvider(body.provider, mode);
      const existing = await store.findActive(body.userId, provider);
      if (existing === null && (await store.countActive()) >= (await deps.countPlaces())) {
        throw new AppError('capacity', 'All sign-in browsers of this server are in use. Try again in a few minutes.');
      }
      const expiresInMs = deps.limits.sessionMs + INSTALL_ALLOWANCE_MS;
      const { userId, expectedAccount, allowedDomains, organization, mayUse = false } = body;
      const restriction = {
        ...(expectedAccount === undefined ? {} : { expectedAccount }),
        ...(allowedDomains === undefined ? {} : { allowedDomains }),
        ...(organization === undefined ? {} : { organization }),
      };
      const session = { userId, provider, mode, expiresInMs, restriction, mayUse };
      const { row, created } = await createOrFind(session, body.supersede ?? false);
      deps.wake();
      return { session: toSession(row), created };
    },

    async get(sessionId: string): Promise<Session> {
      return toSession(await getRow(sessionId));
    },

    async list(userId: string): Promise<Session[]> {
      return (await store.listByUser(userId)).map(toSession);
    },

    async timeline(sessionId: string): Promise<Timeline> {
      await getRow(sessionId);
      return { sessionId, steps: await store.listSteps(sessionId, 0) };
    },

    /** Cancel wins unless a hand-over committed first (I9). */
    async cancel(sessionId: string): Promise<Session> {
      await getRow(sessionId);
      const message = toFailureMessage('cancelled');
      await store.end(sessionId, { event: 'cancel_requested', code: 'cancelled', message, actor: 'person' });
      const row = await getRow(sessionId);
      if (row.status !== 'cancelled')
        throw new AppError('session_ended', `The session ended as ${row.status} before it could be cancelled.`);
      deps.wake();
      return toSession(row);
    },

    /** Another way to sign in, in the middle of the session. Changing to the present one changes nothing. */
    async changeMode(sessionId: string, mode: Mode): Promise<Session> {
      const row = await getActiveRow(sessionId);
      if (row.mode === mode) return toSession(row);
      await deps.requireProvider(row.provider, mode);
      await assertFree(row, mode);
      await store.changeMode(sessionId, mode);
      const after = await getActiveRow(sessionId);
      deps.wake();
      return toSession(after);
    },

    /** What the person needs for signing in outside the VM. Throws `offer_not_found` while there is nothing, or no more. */
    async offer(sessionId: string): Promise<SessionOffer> {
      await getRow(sessionId);
      const found = await deps.offers.find(sessionId);
      if (found === null) throw new AppError('offer_not_found');
      return found;
    },

    async answer(sessionId: string, body: AnswerBody): Promise<Session> {
      const { vm, mode, provider } = await getActiveRow(sessionId);
      if (vm === null) throw new AppError('session_not_waiting', 'The program is not running yet.');
      const offer = body.kind === 'keys' || body.kind === 'line' ? null : await deps.offers.find(sessionId);
      const given = toGivenAnswer(body, { mode, offer, tokenKinds: deps.findTokenKinds(provider) });
      const { sent, delivered, refusedWords } = await deps.answers.give(sessionId, given);
      if (refusedWords !== null) throw new AppError('answer_refused', refusedWords);
      const after = await getRow(sessionId);
      if (delivered) return toSession(after);
      if (!isActive(after))
        throw new AppError('session_ended', `The session ended as ${after.status} before the program had the answer.`);
      throw new AppError('session_not_waiting', sent ? NOT_CONFIRMED : NOT_SENT);
    },
  };
}
