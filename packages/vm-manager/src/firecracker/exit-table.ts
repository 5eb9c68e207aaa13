/**
 * Every way a Firecracker process ends and what it means at which moment: the product's table, as data. The codes are those of Firecracker's
 * own exit codes (1.15 to 1.17). Whether a session is in its grace is not known here: the controller takes every end then for normal.
 */
export const FIRECRACKER_PHASES = ['configuring', 'running', 'ending'] as const;
/** `configuring`: until InstanceStart was answered; `ending`: since the VM was asked to end. */
export type FirecrackerPhase = (typeof FIRECRACKER_PHASES)[number];

export type FirecrackerEnding = {
  /** What happened, to follow "exited with code N" or "killed by SIGNAL". */
  words: Record<FirecrackerPhase, string>;
  /** The phases in which it is how a VM may well end. */
  normalIn: readonly FirecrackerPhase[];
};

const always = (words: string): FirecrackerEnding['words'] => ({ configuring: words, running: words, ending: words });

/** By exit code. */
export const FIRECRACKER_CODES: Readonly<Record<number, FirecrackerEnding>> = {
  0: {
    words: {
      configuring: 'it ended before the VM was started',
      running: 'the guest restarted, which is how a VM ends itself',
      ending: 'the guest restarted, as it was asked to',
    },
    normalIn: ['running', 'ending'],
  },
  1: {
    words: {
      configuring: 'the jailer or Firecracker refused to start; the log says why',
      running: 'a processor of the VM stopped: a triple fault, or an error of KVM',
      ending: 'a processor of the VM stopped (a triple fault, or an error of KVM) as it was ending',
    },
    normalIn: ['ending'],
  },
  2: { words: always('an error that Firecracker does not expect'), normalIn: [] },
  148: { words: always('it made a system call that its filter forbids'), normalIn: [] },
  149: { words: always('SIGBUS: memory or a disk file was not there when it was used'), normalIn: [] },
  150: { words: always('SIGSEGV: Firecracker used memory that is not its own'), normalIn: [] },
  151: { words: always('SIGXFSZ: a file grew beyond the limit of the jail'), normalIn: [] },
  152: { words: always('its settings are not valid'), normalIn: [] },
  153: { words: always('it was started with arguments that it does not take'), normalIn: [] },
  154: { words: always('SIGXCPU: it used more processor time than its limit'), normalIn: [] },
  156: { words: always('SIGHUP: its terminal or session was closed'), normalIn: [] },
  157: { words: always('SIGILL: an instruction that this processor does not have'), normalIn: [] },
};

/** By signal, of those it does not handle. */
export const FIRECRACKER_SIGNALS: Readonly<Partial<Record<NodeJS.Signals, FirecrackerEnding>>> = {
  SIGKILL: { words: always('by somebody on this machine, or because memory ran out'), normalIn: ['ending'] },
  SIGTERM: { words: always('by somebody on this machine'), normalIn: ['ending'] },
  SIGINT: { words: always('by somebody on this machine'), normalIn: ['ending'] },
  SIGABRT: { words: always('Firecracker panicked; the log says why'), normalIn: [] },
};

const UNKNOWN: FirecrackerEnding = { words: always('an end that Firecracker does not document'), normalIn: [] };

/** `reason` in words, complete; `isNormal`: nothing to look into. */
export function describeFirecrackerEnd(
  end: { exitCode: number | null; signal: NodeJS.Signals | null },
  phase: FirecrackerPhase,
): { reason: string; isNormal: boolean } {
  const { exitCode, signal } = end;
  const ending = (signal === null ? FIRECRACKER_CODES[exitCode ?? -1] : FIRECRACKER_SIGNALS[signal]) ?? UNKNOWN;
  const what = signal === null ? `exited with code ${exitCode}` : `killed by ${signal}`;
  return { reason: `${what}: ${ending.words[phase]}`, isNormal: ending.normalIn.includes(phase) };
}
