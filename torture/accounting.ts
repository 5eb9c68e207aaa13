/**
 * Accounts for every sign-in: holds what the product says of it against the run's own journal. Pure. A sign-in that was completed must have
 * stored exactly the bytes its CLI wrote; one that was not must have had no login, or no five seconds in which it could be handed over.
 */
import type { Status } from '@vestibule/protocol/session';
import { isTerminal } from '@vestibule/protocol/session';
import { findCuts, measureLongestGap, readFaults, type Fault } from './faults.ts';
import type { Entry } from './journal.ts';
import { readCliRuns, type CliRun, type Login } from './logins.ts';

/** Reachable so long without a break, a login must have been taken. */
const REACHABLE_MS = 5_000;

/** What the product says in the end. */
export type SignIn = {
  sessionId: string;
  userId: string;
  provider: string;
  status: Status;
  errorCode: string | null;
  createdAtMs: number;
  /** On the journal's clock, as is when it began; null while it has not ended. */
  endedAtMs: number | null;
  vm: { vmId: string; hostId: string } | null;
  /** What its credential opens to, by path in base64; null when there is none, or it cannot be opened. */
  stored: ReadonlyMap<string, string> | null;
};

export type ViolationKind =
  | 'false_failure'
  | 'false_success'
  | 'lost_credential'
  | 'unsettled_session'
  | 'lost_session'
  | 'changed_outcome'
  | 'page_gap'
  | 'page_repeat'
  | 'page_reversal';
export type Violation = { kind: ViolationKind; sessionId: string; vmId: string | null; words: string };

export type Account = {
  violations: Violation[];
  /** By what ended the VM, or else by what cut it off first. */
  destroyedBeforeHandover: Record<string, number>;
};

type Books = { entries: readonly Entry[]; faults: readonly Fault[]; runs: ReadonlyMap<string, CliRun> };

export function account(entries: readonly Entry[], signIns: readonly SignIn[], paths: readonly string[]): Account {
  const books = { entries, faults: readFaults(entries), runs: readCliRuns(entries, paths) };
  const result: Account = { violations: [], destroyedBeforeHandover: {} };
  for (const signIn of signIns) {
    const verdict = judge(signIn, books);
    if (verdict === null) continue;
    if ('cause' in verdict) {
      const count = result.destroyedBeforeHandover[verdict.cause] ?? 0;
      result.destroyedBeforeHandover[verdict.cause] = count + 1;
    } else {
      const { sessionId, vm } = signIn;
      result.violations.push({ ...verdict, sessionId, vmId: vm?.vmId ?? null });
    }
  }
  result.violations.push(...findBrokenPromises(entries, signIns));
  return result;
}

type Verdict = { kind: ViolationKind; words: string } | { cause: string } | null;

function judge(signIn: SignIn, books: Books): Verdict {
  const run = signIn.vm === null ? null : (books.runs.get(signIn.vm.vmId) ?? null);
  if (!isTerminal(signIn.status) || signIn.endedAtMs === null)
    return { kind: 'unsettled_session', words: `still ${signIn.status} after everything was allowed to settle` };
  if (signIn.status === 'completed') return judgeSuccess(signIn, run);
  if (signIn.vm === null || run === null || run.login === null) return null;
  return judgeFailure(signIn, signIn.vm, run.login, signIn.endedAtMs, books);
}

function judgeSuccess({ stored }: SignIn, run: CliRun | null): Verdict {
  if (run === null) return { kind: 'false_success', words: 'completed, and no CLI ran in its VM' };
  if (run.login === null)
    return { kind: 'false_success', words: `completed, and its CLI (${run.behaviour}) left no login` };
  if (stored === null) return { kind: 'lost_credential', words: 'completed, and what was stored cannot be opened' };
  const { files } = run.login;
  const isSame = stored.size === files.size && [...files].every(([path, content]) => stored.get(path) === content);
  return isSame ? null : { kind: 'lost_credential', words: 'completed, and what was stored is not what its CLI wrote' };
}

function judgeFailure(
  signIn: SignIn,
  vm: NonNullable<SignIn['vm']>,
  login: Login,
  endedAtMs: number,
  books: Books,
): Verdict {
  const { completeAtMs } = login;
  // What surfaced after the end is refused by design.
  if (completeAtMs >= endedAtMs) return { cause: 'ended_before' };
  if (wasUnwanted(signIn, endedAtMs, books.entries)) return { cause: 'cancelled' };
  const stretch = { fromMs: completeAtMs, toMs: endedAtMs };
  const cuts = findCuts(books.faults, vm, stretch);
  const reachableMs = measureLongestGap(cuts, stretch);
  if (reachableMs < REACHABLE_MS) return { cause: findCause(cuts) };
  const words = `ended as ${signIn.status} ${Math.round(endedAtMs - completeAtMs)} ms after its login was complete, of which ${Math.round(reachableMs)} ms on end it could be handed over`;
  return { kind: 'false_failure', words };
}

function findCause(cuts: readonly Fault[]): string {
  const destroyed = cuts.find(({ toMs }) => toMs === Infinity);
  return (destroyed ?? cuts[0])?.kind ?? 'ended_within_5_s';
}

/** A newer sign-in asked for before this one began is the one that began it. */
function wasUnwanted(signIn: SignIn, endedAtMs: number, entries: readonly Entry[]): boolean {
  const { sessionId, userId, provider, createdAtMs } = signIn;
  return entries.some((entry) => {
    if (entry.atMs > endedAtMs || entry.atMs < createdAtMs) return false;
    if (entry.type === 'cancel_asked') return entry.sessionId === sessionId;
    return entry.type === 'supersede_asked' && entry.userId === userId && entry.provider === provider;
  });
}

/** What somebody was told and is not so in the end. */
function findBrokenPromises(entries: readonly Entry[], signIns: readonly SignIn[]): Violation[] {
  const byId = new Map(signIns.map((signIn) => [signIn.sessionId, signIn]));
  return entries.flatMap((entry): Violation[] => {
    if (!('sessionId' in entry) || entry.type === 'cancel_asked') return [];
    const { sessionId } = entry;
    const signIn = byId.get(sessionId);
    const about = { sessionId, vmId: signIn?.vm?.vmId ?? null };
    if (entry.type === 'page_saw') return [{ ...about, kind: `page_${entry.problem}`, words: entry.detail }];
    if (signIn === undefined) return [{ ...about, kind: 'lost_session', words: 'was acknowledged and is not there' }];
    if (entry.type !== 'ended_seen' || entry.status === signIn.status) return [];
    return [
      { ...about, kind: 'changed_outcome', words: `${entry.by} saw ${entry.status}, now it is ${signIn.status}` },
    ];
  });
}
