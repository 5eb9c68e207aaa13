/** What a run found, in one line of JSON, and, for each violation, the story of its session: the product's steps beside the journal. */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { findCuts, readFaults } from './faults.ts';
import type { Account, SignIn, Violation, ViolationKind } from './accounting.ts';
import { CREDENTIAL_PATHS } from './behaviours.ts';
import type { Database } from './database.ts';
import { readTimeline } from './evidence.ts';
import type { Entry, Journal } from './journal.ts';
import { readCliRuns } from './logins.ts';

/** Around a session's life, as its fault may have begun before and been noticed after. */
const MARGIN_MS = 3_000;

export type Leftovers = { vms: string[]; processes: string[]; files: string[] };

export type Figures = Record<string, unknown> & {
  false_failures: number;
  false_successes: number;
  lost_credentials: number;
  orphan_vms: number;
  orphan_processes: number;
  orphan_files: number;
};

export function toFigures(signIns: readonly SignIn[], account: Account, leftovers: Leftovers): Figures {
  const ended = (status: SignIn['status']): number => signIns.filter((signIn) => signIn.status === status).length;
  const violations = (kind: ViolationKind): number => account.violations.filter((one) => one.kind === kind).length;
  return {
    sessions: signIns.length,
    completed: ended('completed'),
    failed: ended('failed'),
    timeout: ended('timeout'),
    cancelled: ended('cancelled'),
    false_failures: violations('false_failure'),
    false_successes: violations('false_success'),
    lost_credentials: violations('lost_credential'),
    orphan_vms: leftovers.vms.length,
    orphan_processes: leftovers.processes.length,
    orphan_files: leftovers.files.length,
    unsettled_sessions: violations('unsettled_session'),
    lost_sessions: violations('lost_session'),
    changed_outcomes: violations('changed_outcome'),
    page_gaps: violations('page_gap'),
    page_repeats: violations('page_repeat'),
    page_reversals: violations('page_reversal'),
    destroyed_before_handover: account.destroyedBeforeHandover,
  };
}

/** The figures that must be 0, by name. */
export function listWrong(figures: Figures): string[] {
  const must = /^(?:false_|lost_|orphan_|unsettled_|changed_|page_|controller_crashes)/;
  return Object.keys(figures).filter((name) => must.test(name) && figures[name] !== 0);
}

/** One line for each sign-in: how it ended, after how long, and what its CLI did. */
export function writeSessions(path: string, signIns: readonly SignIn[], journal: Journal): void {
  const runs = readCliRuns(journal.entries(), CREDENTIAL_PATHS);
  const lines = signIns.map((signIn) => {
    const run = signIn.vm === null ? undefined : runs.get(signIn.vm.vmId);
    const lifeMs = signIn.endedAtMs === null ? null : Math.round(signIn.endedAtMs - signIn.createdAtMs);
    const loginMs = run?.login ? Math.round(run.login.completeAtMs - signIn.createdAtMs) : null;
    return JSON.stringify({ ...signIn, stored: undefined, lifeMs, loginMs, behaviour: run?.behaviour ?? null });
  });
  writeFileSync(path, `${lines.join('\n')}\n`);
}

type StoryOptions = {
  path: string;
  violations: readonly Violation[];
  signIns: readonly SignIn[];
  journal: Journal;
  database: Database;
};

export async function writeStories({ path, violations, signIns, journal, database }: StoryOptions): Promise<void> {
  rmSync(path, { force: true });
  const entries = journal.entries();
  for (const violation of violations) {
    const signIn = signIns.find(({ sessionId }) => sessionId === violation.sessionId);
    const lines = [`# ${violation.kind} ${violation.sessionId} (${violation.vmId ?? 'no VM'}): ${violation.words}`];
    if (signIn !== undefined) lines.push(...(await tellStory(signIn, entries, database)));
    appendFileSync(path, `${lines.join('\n')}\n\n`, { mode: 0o600 });
  }
}

/** The product's steps and the journal's entries of one session, by time; no login's content. */
async function tellStory(signIn: SignIn, entries: readonly Entry[], database: Database): Promise<string[]> {
  const fromMs = signIn.createdAtMs - MARGIN_MS;
  const toMs = (signIn.endedAtMs ?? Infinity) + MARGIN_MS;
  const cuts = signIn.vm === null ? [] : findCuts(readFaults(entries), signIn.vm, { fromMs, toMs });
  const toJournalClock = Number(process.hrtime.bigint()) / 1e6 - Date.now();
  const steps = await readTimeline(database, signIn.sessionId);
  const told = [
    ...steps.map(({ at, type, actor, data }) => ({
      atMs: new Date(at).getTime() + toJournalClock,
      words: `product: ${type} by ${actor} ${JSON.stringify(data)}`,
    })),
    ...cuts.map((cut) => ({
      atMs: cut.fromMs,
      words: `cut off: ${cut.kind} for ${Math.round(cut.toMs - cut.fromMs)} ms`,
    })),
    ...entries.filter((entry) => isAbout(entry, signIn)).map((entry) => ({ atMs: entry.atMs, words: toWords(entry) })),
  ];
  return told
    .toSorted((one, other) => one.atMs - other.atMs)
    .map(({ atMs, words }) => `${((atMs - signIn.createdAtMs) / 1000).toFixed(3).padStart(9)} s  ${words}`);
}

function isAbout(entry: Entry, { sessionId, userId, vm }: SignIn): boolean {
  if ('vmId' in entry) return entry.vmId === vm?.vmId;
  if ('sessionId' in entry) return entry.sessionId === sessionId;
  return entry.type === 'supersede_asked' && entry.userId === userId;
}

function toWords(entry: Entry): string {
  const { atMs: _, ...fact } = entry;
  if (fact.type !== 'cli_writes') return `journal: ${JSON.stringify(fact)}`;
  return `journal: cli_writes ${fact.write.path} ${fact.write.state}`;
}
