/** The accounting must be able to fail: made-up journals with one thing wrong, and each is counted; and clean ones, that are not. */
import { expect, it } from 'vitest';
import { account, type SignIn } from './accounting.ts';
import { openJournal, type FaultKind, type Journal, type Scope } from './journal.ts';

const PATHS = ['auth.json', 'session.txt'];
const VM = { vmId: 'vm_a_1', hostId: 'host_a' };
const LOGIN = new Map([
  ['auth.json', 'e30='],
  ['session.txt', 'c2Vzc2lvbg=='],
]);
const OPTIONS = { userId: 'u-1', provider: 'torture' };

function createSignIn(differences: Partial<SignIn> = {}): SignIn {
  const times = { createdAtMs: 100, endedAtMs: 2_000 };
  return {
    sessionId: 's-1',
    ...OPTIONS,
    ...times,
    status: 'completed',
    errorCode: null,
    vm: VM,
    stored: LOGIN,
    ...differences,
  };
}
/** Not completed, long after its login. */
const failed = (differences: Partial<SignIn> = {}): SignIn =>
  createSignIn({ status: 'failed', endedAtMs: 20_000, stored: null, ...differences });

function write(journal: Journal, state: 'complete' | 'incomplete' = 'complete', content = LOGIN): void {
  journal.note({ type: 'cli_started', vmId: VM.vmId, behaviour: 'made up' }, 500);
  for (const [path, contentBase64] of content)
    journal.note({ type: 'cli_writes', vmId: VM.vmId, write: { path, contentBase64, state } }, 900);
}
function exit(journal: Journal, exitCode: number, atMs = 1_000): void {
  journal.note({ type: 'cli_exits', vmId: VM.vmId, exitCode }, atMs);
}
function signInWell(): Journal {
  const journal = openJournal(null);
  write(journal);
  exit(journal, 0);
  return journal;
}
function cut(
  journal: Journal,
  scope: Scope,
  fromMs: number,
  toMs: number | null,
  kind: FaultKind = 'controller_killed',
) {
  const faultId = journal.entries().length;
  journal.note({ type: 'fault_began', faultId, kind, scope, detail: '' }, fromMs);
  if (toMs !== null) journal.note({ type: 'fault_ended', faultId }, toMs);
}
const kindsOf = (journal: Journal, ...signIns: SignIn[]): string[] =>
  account(journal.entries(), signIns, PATHS).violations.map(({ kind }) => kind);

it('finds nothing wrong with a login that is stored as it was written', () => {
  expect(account(signInWell().entries(), [createSignIn()], PATHS)).toEqual({
    violations: [],
    destroyedBeforeHandover: {},
  });
});

it('counts a false failure: a login that could be handed over for five seconds and was not taken', () => {
  expect(kindsOf(signInWell(), failed())).toEqual(['false_failure']);
  expect(kindsOf(signInWell(), failed({ endedAtMs: 6_000 }))).toEqual(['false_failure']);
});

it('counts a false failure also between two outages, and after the last one', () => {
  const between = signInWell();
  cut(between, { hostId: VM.hostId }, 1_100, 2_000);
  cut(between, 'database', 7_100, null);
  expect(kindsOf(between, failed())).toEqual(['false_failure']);
  const after = signInWell();
  cut(after, { hostId: VM.hostId }, 500, 14_000);
  expect(kindsOf(after, failed())).toEqual(['false_failure']);
});

it.each<[string, Scope]>([
  ['another VM', { vmId: 'vm_a_2' }],
  ['another host', { hostId: 'host_b' }],
  ['the VMs of another host', { vmsOf: 'host_b' }],
  ['nothing', 'nothing'],
])('does not take what cuts off %s for an excuse', (_what, scope) => {
  const journal = signInWell();
  cut(journal, scope, 1_100, null);
  expect(kindsOf(journal, failed())).toEqual(['false_failure']);
});

it('counts apart, by cause, what was destroyed before it could be handed over', () => {
  const journal = signInWell();
  cut(journal, 'database', 900, 4_000, 'postmaster_killed');
  cut(journal, { vmId: VM.vmId }, 1_100, null, 'agent_killed');
  expect(account(journal.entries(), [failed()], PATHS)).toEqual({
    violations: [],
    destroyedBeforeHandover: { agent_killed: 1 },
  });
  const late = failed({ endedAtMs: 5_900, status: 'timeout' });
  expect(account(signInWell().entries(), [late], PATHS).destroyedBeforeHandover).toEqual({ ended_within_5_s: 1 });
});

it('knows that VMs which live in a controller end with it, and later ones do not', () => {
  const ended = signInWell();
  cut(ended, { vmsOf: VM.hostId }, 1_100, null);
  expect(kindsOf(ended, failed())).toEqual([]);
  const later = signInWell();
  cut(later, { vmsOf: VM.hostId }, 400, null);
  expect(kindsOf(later, failed())).toEqual(['false_failure']);
});

it('adds up overlapping outages to one', () => {
  const journal = signInWell();
  cut(journal, { hostId: VM.hostId }, 1_100, 15_500);
  cut(journal, 'database', 2_000, 3_000);
  expect(kindsOf(journal, failed())).toEqual([]);
});

it('takes a cancel or a newer sign-in for an excuse only when it was asked before the end', () => {
  const cancelled = signInWell();
  cancelled.note({ type: 'cancel_asked', sessionId: 's-1' }, 8_000);
  expect(kindsOf(cancelled, failed({ status: 'cancelled' }))).toEqual([]);
  const superseded = signInWell();
  superseded.note({ type: 'supersede_asked', ...OPTIONS }, 8_000);
  expect(kindsOf(superseded, failed({ status: 'cancelled' }))).toEqual([]);
  const late = signInWell();
  late.note({ type: 'cancel_asked', sessionId: 's-1' }, 20_001);
  expect(kindsOf(late, failed({ status: 'cancelled' }))).toEqual(['false_failure']);
  const itself = signInWell();
  itself.note({ type: 'supersede_asked', ...OPTIONS }, 99);
  expect(kindsOf(itself, failed())).toEqual(['false_failure']);
});

it('expects no success of a CLI that left no login', () => {
  const journal = openJournal(null);
  write(journal, 'incomplete');
  exit(journal, 0);
  expect(kindsOf(journal, failed())).toEqual([]);
});

it.each([
  ['never ended', (journal: Journal) => write(journal)],
  ['ended with 1', (journal: Journal) => (write(journal), exit(journal, 1))],
  ['wrote half of it', (journal: Journal) => (write(journal, 'incomplete'), exit(journal, 0))],
  [
    'wrote one file of two',
    (journal: Journal) => (write(journal, 'complete', new Map([['auth.json', 'e30=']])), exit(journal, 0)),
  ],
  ['never started', () => undefined],
])('counts a false success: completed, and the CLI %s', (_what, play) => {
  const journal = openJournal(null);
  play(journal);
  expect(kindsOf(journal, createSignIn())).toEqual(['false_success']);
});

it('counts a lost credential: what was stored cannot be opened, or is not what the CLI wrote last', () => {
  expect(kindsOf(signInWell(), createSignIn({ stored: null }))).toEqual(['lost_credential']);
  const other = new Map([...LOGIN, ['session.txt', 'b3RoZXI=']]);
  expect(kindsOf(signInWell(), createSignIn({ stored: other }))).toEqual(['lost_credential']);
  const rewritten = openJournal(null);
  write(rewritten, 'complete', other);
  write(rewritten);
  exit(rewritten, 0);
  expect(kindsOf(rewritten, createSignIn({ stored: other }))).toEqual(['lost_credential']);
  expect(kindsOf(rewritten, createSignIn())).toEqual([]);
});

it('counts what was promised and is not so: an acknowledged session, an outcome, a page', () => {
  const journal = signInWell();
  journal.note({ type: 'acknowledged', sessionId: 's-2', userId: 'u-2' });
  journal.note({ type: 'ended_seen', sessionId: 's-1', status: 'failed', by: 'operator' });
  journal.note({ type: 'page_saw', sessionId: 's-1', problem: 'gap', detail: '5 after 3' });
  expect(kindsOf(journal, createSignIn())).toEqual(['lost_session', 'changed_outcome', 'page_gap']);
});

it('counts a session that never ended', () => {
  const active = createSignIn({ status: 'awaiting_user_auth', endedAtMs: null, stored: null });
  expect(kindsOf(signInWell(), active)).toEqual(['unsettled_session']);
});
