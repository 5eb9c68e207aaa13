/**
 * Whether a sign-in is over, by what the CLI did and what its files hold (I6). Pure. A CLI that ended with anything but 0 signed nobody in,
 * whatever its files say; a CLI that ended with 0 must have left every file complete.
 */
import type { Handover, LoginPlan } from '@vestibule/protocol/agent-messages';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { ChildExit } from './child.ts';
import type { CredentialProblem, CredentialReading } from './credential-file.ts';

export type CompleteReading = Extract<CredentialReading, { state: 'complete' }>;
export type IncompleteReading = Extract<CredentialReading, { state: 'incomplete' }>;

export type Verdict =
  | { kind: 'wait' }
  | { kind: 'complete'; readings: CompleteReading[]; evidence: Handover['evidence'] }
  | { kind: 'fail'; code: FailureCode; detail: string; reading: IncompleteReading | null };

export type Situation = {
  when: LoginPlan['success']['when'];
  /** Null while the CLI runs. */
  exit: ChildExit | null;
  /** The CLI answered the last request with a result. */
  isRpcDone?: boolean;
  /** Nothing more is to come, whether the CLI runs or not. */
  isFinal?: boolean;
  readings: readonly CredentialReading[];
  /** The content is known not to be in the middle of a change. */
  settled: boolean;
};

const FAILURE_OF: Record<CredentialProblem, FailureCode> = {
  blank_field: 'credential_blank',
  unreadable: 'credential_unreadable',
  not_a_file: 'credential_unreadable',
  too_large: 'credential_too_large',
};

export function judge({ when, exit, isRpcDone = false, isFinal = false, readings, settled }: Situation): Verdict {
  const complete = readings.filter((reading) => reading.state === 'complete');
  const isComplete = complete.length === readings.length;
  if (exit === null) {
    if (when === 'files' && isComplete && settled) {
      return { kind: 'complete', readings: complete, evidence: ['files_complete'] };
    }
    if (when === 'rpc' && isComplete && isRpcDone) {
      return { kind: 'complete', readings: complete, evidence: ['files_complete', 'cli_rpc_ok'] };
    }
    return isFinal ? toRejection(readings) : { kind: 'wait' };
  }
  if (exit.exitCode !== 0) {
    return { kind: 'fail', code: 'cli_exited', detail: String(exit.signal ?? exit.exitCode), reading: null };
  }
  if (when === 'rpc' && !isRpcDone) return { kind: 'fail', code: 'cli_exited', detail: '0', reading: null };
  if (isComplete) {
    const word = when === 'rpc' ? 'cli_rpc_ok' : 'cli_exit_zero';
    return { kind: 'complete', readings: complete, evidence: ['files_complete', word] };
  }
  return toRejection(readings);
}

function toRejection(readings: readonly CredentialReading[]): Verdict {
  const reading = readings.find((one) => one.state === 'incomplete') ?? null;
  if (reading) return { kind: 'fail', code: FAILURE_OF[reading.problem], detail: reading.detail, reading };
  return { kind: 'fail', code: 'cli_exited', detail: '0', reading: null };
}
