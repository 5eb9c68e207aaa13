/**
 * One schedule as data: who does what when, what the CLIs do, what breaks. Together with the seed, which decides only delays, it fixes
 * everything that happens; it can be shrunk and pasted into a test. Times in milliseconds from the start.
 */
export type CliScript = {
  /** The definition's condition for success. */
  when: 'exit_zero' | 'files';
  /** From the sign-in page to the moment the person is done; null: never. */
  personMs: number | null;
  /** What it leaves in its credential file. `partial_first`: half of it, then the whole. */
  writes: 'complete' | 'partial_first' | 'partial' | 'blank' | 'nothing';
  /** From writing to its end; null: it goes on. */
  exitAfterMs: number | null;
  exitCode: number;
  /** Its own word, when it is asked for it. */
  confirm: 'not_asked' | 'yes' | 'no';
};

export type PersonAction = {
  atMs: number;
  user: number;
  /** Which of `clis` is signed in to: the provider. */
  cli: number;
  /** `connect` opens the session's page, too. `change_mode`: from one browser to the other, in the middle. */
  does: 'connect' | 'supersede' | 'cancel' | 'change_mode';
  controller: number;
};

/** A statement of a store: it happens or not, and its caller is told so or not. */
export type StatementFault = {
  kind: 'statement';
  statement: string;
  nth: number;
  effect: 'refused' | 'unknown' | 'dies_before' | 'dies_after' | 'slow';
};

export type TimedFault =
  | { kind: 'kill_controller'; atMs: number; controller: number; forMs: number }
  | { kind: 'stall_controller'; atMs: number; controller: number; forMs: number }
  | { kind: 'cut_database'; atMs: number; controller: number; forMs: number }
  | { kind: 'database_down'; atMs: number; forMs: number }
  | { kind: 'lose_hints'; atMs: number; forMs: number }
  | { kind: 'end_vm'; atMs: number; vm: number; how: 'exit' | 'kill' | 'vanish'; code: number }
  | { kind: 'freeze_vm'; atMs: number; vm: number; forMs: number | null }
  | { kind: 'break_links'; atMs: number; vm: number }
  | { kind: 'silence_links'; atMs: number; vm: number; forMs: number }
  | { kind: 'refuse_dials'; atMs: number; vm: number; forMs: number }
  | { kind: 'lose_host'; atMs: number; controller: number };

export type Fault = StatementFault | TimedFault;

export type Scenario = {
  seed: number;
  controllers: number;
  limits: { sessionMs: number; holdMs: number; graceMs: number };
  people: PersonAction[];
  /** Each is a provider. */
  clis: CliScript[];
  faults: Fault[];
};
