/**
 * What the page knows of a session, as pushes arrive: a pure reducer. It never goes back (an older push changes nothing), never leaves a
 * terminal status, and shows a lost connection as that, not as a state of the session.
 */
import type { Session, SessionPush } from '@vestibule/protocol/api';
import type { SessionStep } from '@vestibule/protocol/session';
import { isTerminal } from '@vestibule/protocol/session';

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'ended';
export type Refusal = 'signed_out' | 'not_found';

export type PushState = {
  connection: Connection;
  session: Session | null;
  /** In order of `seq`, each once. */
  steps: readonly SessionStep[];
  /** The monotonic moment at which `session` arrived: its remaining times count from here. */
  receivedAtMs: number;
  /** Why there is nothing to show, or null. */
  refusal: Refusal | null;
};

export type PushAction =
  | { type: 'opened' }
  | { type: 'pushed'; push: SessionPush; atMs: number }
  | { type: 'timeline_read'; steps: readonly SessionStep[] }
  | { type: 'dropped' }
  | { type: 'ended' }
  | { type: 'refused'; refusal: Refusal };

export const NOTHING_YET: PushState = {
  connection: 'connecting',
  session: null,
  steps: [],
  receivedAtMs: 0,
  refusal: null,
};

function mergeSteps(known: readonly SessionStep[], news: readonly SessionStep[]): readonly SessionStep[] {
  const seen = new Set(known.map((step) => step.seq));
  const fresh = news.filter((step) => !seen.has(step.seq));
  if (fresh.length === 0) return known;
  return [...known, ...fresh].toSorted((a, b) => a.seq - b.seq);
}

function isNews(known: Session | null, session: Session): boolean {
  if (known === null) return true;
  if (session.seq < known.seq) return false;
  return !isTerminal(known.status) || session.status === known.status;
}

/** Steps are numbered from 1 without gaps, so their count tells whether some are missing. */
export function missesSteps(state: PushState): boolean {
  return state.session !== null && state.steps.length < state.session.seq;
}

export function reducePushes(state: PushState, action: PushAction): PushState {
  switch (action.type) {
    case 'opened':
      return { ...state, connection: 'live', refusal: null };
    case 'pushed': {
      const steps = mergeSteps(state.steps, action.push.steps);
      if (!isNews(state.session, action.push.session)) return { ...state, connection: 'live', steps };
      const { session } = action.push;
      return { connection: 'live', session, steps, receivedAtMs: action.atMs, refusal: null };
    }
    case 'timeline_read':
      return { ...state, steps: mergeSteps(state.steps, action.steps) };
    case 'dropped':
      return state.connection === 'ended' ? state : { ...state, connection: 'reconnecting' };
    case 'ended':
      return { ...state, connection: 'ended' };
    case 'refused':
      return { ...state, connection: 'ended', refusal: action.refusal };
    default:
      return action satisfies never;
  }
}
