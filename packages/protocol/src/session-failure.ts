/**
 * The closed list of reasons why a session ends other than `completed`, each with words for a person: what happened and what to do next.
 * The words may carry one `{detail}`; they never carry a secret.
 */
import * as z from 'zod';

export const FAILURES = {
  cli_install_failed:
    'The program {detail} could not be installed on the server. Try again; if it happens again, tell whoever runs this server.',
  vm_start_failed:
    'The sign-in browser could not be started ({detail}). Try again; if it happens again, tell whoever runs this server.',
  vm_ended: 'The sign-in browser ended before the sign-in was finished. Nothing was stored. Start again.',
  host_lost:
    'The machine that ran the sign-in browser stopped answering before the sign-in was finished. Nothing was stored. Start again.',
  cli_missing:
    'The program was not found inside the sign-in browser machine ({detail}). Tell whoever runs this server.',
  cli_wrong_version:
    'The program is another version than this server was made for ({detail}). Tell whoever runs this server.',
  cli_crashed: 'The program itself failed ({detail}). Start again; if it happens again, tell whoever runs this server.',
  network_dns:
    'The program could not find the address of the sign-in service ({detail}). The name lookup of the server failed. Try again; if it happens again, tell whoever runs this server.',
  network_tcp:
    'The program could not reach the sign-in service ({detail}). Try again; if it happens again, the server may have no way to the internet: tell whoever runs it.',
  network_tls:
    'The program did not trust the connection to the sign-in service ({detail}). A proxy may read along: tell whoever runs this server about VESTIBULE_CA_FILE.',
  provider_http:
    'The sign-in service answered the program with an error ({detail}). Nothing was stored. Wait a few minutes and start again.',
  cli_exited:
    'The program ended with code {detail}, which means that it signed nobody in. Nothing was stored. Start again.',
  cli_no_url:
    'The program did not show a sign-in page in time. Start again; if it happens again, tell whoever runs this server.',
  browser_failed: 'The browser could not be started ({detail}). Tell whoever runs this server.',
  sign_in_denied: 'The sign-in was refused or denied. Start again and accept the request to continue.',
  provider_denied:
    'The sign-in service refused the sign-in of this account or program ({detail}). Nothing was stored. Ask whoever administers the account, or try another way to sign in.',
  callback_refused:
    'The program did not take the answer that the sign-in page gave ({detail}). Nothing was stored. Start again, and give back the newest answer.',
  code_expired:
    'The code was not entered in time, or had expired. Nothing was stored. Start again, and enter the new code at once.',
  device_code_refused:
    'The sign-in service does not let this account sign in with a code ({detail}). Nothing was stored. Choose another way to sign in.',
  token_refused:
    'The program did not take the key or token ({detail}). Nothing was stored. Check that it is whole and still valid, and start again.',
  unexpected_prompt:
    'The program asked something that nobody answered ({detail}). Start again, and answer it in the terminal on this page.',
  credential_blank: 'The program wrote a login with an empty field ({detail}). Nothing was stored. Start again.',
  credential_unreadable:
    'The program wrote a login that could not be read ({detail}). Nothing was stored. Start again.',
  credential_too_large:
    'The program wrote a login that is too large ({detail}). Nothing was stored. Tell whoever runs this server.',
  wrong_account:
    'The sign-in was of another account than the one asked for ({detail}). Nothing was stored. Start again with the right account.',
  not_confirmed: 'The program itself says it is not signed in. Nothing was stored. Start again.',
  store_failed:
    'The login could not be stored ({detail}). Start again; if it happens again, tell whoever runs this server.',
  deadline_passed: 'The time for this sign-in ran out. Nothing was stored. Start again when you are ready to sign in.',
  cancelled: 'The sign-in was cancelled. Nothing was stored. A login stored earlier stays as it was.',
  superseded: 'A newer sign-in took the place of this one. Nothing was stored by this one.',
} as const satisfies Record<string, string>;

export type FailureCode = keyof typeof FAILURES;
export const failureCodeSchema = z.enum(Object.keys(FAILURES) as [FailureCode, ...FailureCode[]]);

/** Words for a person, at most 500 characters. `detail` must not be a secret; control characters are dropped. */
export function toFailureMessage(code: FailureCode, detail = 'no detail'): string {
  // eslint-disable-next-line no-control-regex
  const clean = detail.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, 200);
  return FAILURES[code].replace('{detail}', clean).slice(0, 500);
}
