/** Plain words for what a session is and how it ended. Every record is total: a new status or stage does not compile without words. */
import type { Restriction, Session } from '@vestibule/protocol/api';
import type { Grade, Stage, Status, TerminalStatus } from '@vestibule/protocol/session';

export const STATUS_LABELS: Record<Status, string> = {
  started: 'Getting ready',
  vm_created: 'Starting the sign-in',
  awaiting_user_auth: 'Waiting for you to sign in',
  completed: 'Connected',
  failed: 'Did not work',
  timeout: 'Time ran out',
  cancelled: 'Cancelled',
};

export const STAGE_WORDS: Record<Stage, string> = {
  installing: 'while the program was being installed on the server',
  starting_vm: 'while the sign-in machine was starting',
  starting_sign_in: 'while the program was starting its sign-in',
  awaiting_person: 'while waiting for you to sign in',
  storing: 'while the login was being stored',
};

type EndWords = { heading: string; next: string };

/** How well it is known that the stored login works. */
export const GRADE_WORDS: Record<Grade, string> = {
  file_complete: 'The login that the program wrote is complete. Nobody has tried it yet.',
  cli_says_so: 'The program itself says that it is signed in. It has not been tried at the provider yet.',
  provider_accepted: 'The provider accepted it: the program used it once.',
};

/** Every end but `completed`. */
export const END_WORDS: Record<Exclude<TerminalStatus, 'completed'>, EndWords> = {
  failed: {
    heading: 'The sign-in failed',
    next: 'You can start again at once. If it happens again, show the technical details to whoever runs this server.',
  },
  timeout: {
    heading: 'Time ran out',
    next: 'Start again when you have your user name and password at hand.',
  },
  cancelled: {
    heading: 'Sign-in cancelled',
    next: 'You can start again whenever you like.',
  },
};

export const LATE_REFUSED_WORDS =
  'A login was finished only after this sign-in had ended. It was refused and not stored. To connect, start again.';

/** Whom the sign-in must be of; null when of anybody. */
export function toRestrictionWords({ expectedAccount, allowedDomains, organization }: Restriction): string | null {
  const parts = [
    expectedAccount === undefined ? null : `as ${expectedAccount}`,
    allowedDomains === undefined ? null : `with an account at ${allowedDomains.join(' or ')}`,
    organization === undefined ? null : `for the organization ${organization}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : `Only ${parts.join(', ')}`;
}

/** `9:05`, rounded up, so that it reaches `0:00` only when nothing is left. */
export function toClock(remainingMs: number): string {
  const seconds = Math.ceil(Math.max(0, remainingMs) / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** What becomes of the sign-in machine after success; `destroyInMs` is counted down by the caller. */
export function toMachineWords(vm: Session['vm'], destroyInMs: number | null): string {
  if (vm === null) return 'No sign-in machine is left.';
  const ended = vm.exitCode === null ? '' : `The sign-in machine ended (code ${vm.exitCode}): normal. `;
  if (vm.state === 'gone') return `${ended}It has been destroyed, with everything that was in it.`;
  if (vm.state === 'lost')
    return `${ended}The server that ran the sign-in machine stopped answering. It destroys the machine when it is back.`;
  if (destroyInMs !== null && destroyInMs > 0) {
    const seconds = Math.ceil(destroyInMs / 1_000);
    return `${ended}The sign-in machine will be destroyed in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`;
  }
  return `${ended}The sign-in machine is being destroyed.`;
}
