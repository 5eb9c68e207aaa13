/**
 * Why a sign-in failed, by what the CLI wrote: the definition's own patterns first, then the forms in which common libraries tell of name
 * look-up, connection, certificate, HTTP status, a refusal, or an exception of their own. Pure. Knows no secrets: the detail is a line of
 * the output as it is, to be redacted before it goes anywhere.
 */
import type { LoginPlan } from '@vestibule/protocol/agent-messages';
import type { Mode } from '@vestibule/protocol/session';
import type { FailureCode } from '@vestibule/protocol/session-failure';
import type { ChildExit } from './child.ts';

export type Trouble = {
  mode: Mode;
  failures: LoginPlan['failures'];
  /** The CLI's recent output, without control sequences; the newest last. */
  text: string;
  exit: ChildExit | null;
  /** The person was shown how to sign in before it failed. */
  wasOffered: boolean;
};

export type Cause = { code: FailureCode; detail: string };

type Form = { code: FailureCode; pattern: RegExp; modes?: readonly Mode[] };

/** Warnings of long ago are not the cause. */
const RECENT_CHARS = 4000;
const CRASH_SIGNALS = ['SIGSEGV', 'SIGABRT', 'SIGILL', 'SIGBUS', 'SIGFPE', 'SIGTRAP', 'SIGSYS'];

/** In order: the nearest cause first. A library names the certificate or the name inside its error of the connection. */
const FORMS: readonly Form[] = [
  {
    code: 'sign_in_denied',
    pattern:
      /\baccess_denied\b|\b(?:sign[- ]?in|log[- ]?in|authori[sz]ation|authentication|consent|access)(?: request)? (?:was |has been )?(?:denied|declined|cancell?ed)\b|\buser (?:denied|declined|cancell?ed)\b/i,
  },
  {
    code: 'device_code_refused',
    modes: ['device_code'],
    pattern:
      /\bdevice[ _-]?(?:code|flow|auth\w*)[^\n]*(?:not (?:enabled|allowed|supported|available|permitted)|disabled)|\bdevice_flow_disabled\b|\bunsupported_grant_type\b/i,
  },
  {
    code: 'code_expired',
    pattern: /\bexpired_token\b|\bcode['"]?,? (?:has |is |was |had )?expired|\b(?:code|device auth\w*) timed out\b/i,
  },
  {
    code: 'network_tls',
    pattern:
      /SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET)_\w+|CERT_(?:HAS_EXPIRED|NOT_YET_VALID|UNTRUSTED|SIGNATURE_FAILURE)|ERR_TLS_\w+|ERR_SSL_\w+|\bEPROTO\b|UnknownIssuer|invalid peer certificate|self[- ]signed certificate|certificate (?:verify failed|has expired|is not trusted|signed by unknown authority|is not valid)|unable to (?:get local issuer certificate|verify the first certificate)|x509:|tls: failed|TLS handshake/i,
  },
  {
    code: 'network_dns',
    pattern:
      /ENOTFOUND|EAI_[A-Z]+|getaddrinfo|dns error|failed to lookup address|could not resolve host|temporary failure in name resolution|name or service not known|no such host/i,
  },
  {
    code: 'network_tcp',
    pattern:
      /ECONNREFUSED|ECONNRESET|ECONNABORTED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|UND_ERR_(?:CONNECT_TIMEOUT|SOCKET)|connection (?:refused|reset|timed out|aborted)|network is unreachable|no route to host|error sending request|tcp connect error|socket hang up|connect timeout|i\/o timeout|fetch failed|unable to connect|error connecting to/i,
  },
  {
    code: 'callback_refused',
    pattern:
      /\binvalid_grant\b|\bstate (?:mismatch|does not match|parameter is)|\binvalid (?:authori[sz]ation code|state)\b/i,
  },
  {
    code: 'provider_denied',
    pattern:
      /\bunauthorized_client\b|\binvalid_client\b|\baccount (?:is |was |has been )?(?:disabled|deactivated|suspended|blocked)|\b(?:account|organi[sz]ation|workspace|plan)[^\n]{0,60}(?:not (?:eligible|allowed|permitted|supported)|does not (?:allow|have access|permit)|disabled)|\byour (?:administrator|admin)\b|\bnot eligible\b/i,
  },
];

const NETWORK = FORMS.filter(({ code }) => code.startsWith('network_'));

const STATUS =
  /\b(?:HTTP(?:\/[\d.]+)?|status(?:[ _]?code)?|response|responded with|answered(?: with)?|returned|failed with|error)[ :=(]*(?:HTTP |status(?:[ _]?code)?[ :=]*)?([45]\d\d)\b|\b([45]\d\d) (?:Bad Request|Unauthorized|Forbidden|Not Found|Too Many Requests|Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)/i;

const EXCEPTION =
  /Traceback \(most recent call last\)|\bpanicked at\b|\bpanic: |Unhandled\w*(?: \w+)? (?:rejection|exception)|UnhandledPromiseRejection|\bUncaught\b|^\s+at \S.*:\d+:\d+\)?$|Segmentation fault|core dumped|Cannot find (?:module|package)|\b(?:Syntax|Type|Reference|Range)Error\b: |JavaScript heap out of memory|GLIBC_|error while loading shared libraries|\b(?:EACCES|EROFS|ENOSPC|EMFILE|EPERM)\b/m;

/** Null when nothing tells why. */
export function findCause(trouble: Trouble): Cause | null {
  const { mode, failures, text, exit } = trouble;
  for (const { pattern, code, modes } of failures) {
    if (modes !== undefined && !modes.includes(mode)) continue;
    const detail = findLine(text, new RegExp(pattern, 'm'));
    if (detail === null) continue;
    // Programs say alike that the service answered with an error and that it could not be reached at all.
    return (code === 'provider_http' && findByForm(mode, detail, NETWORK)) || { code, detail };
  }
  const recent = text.slice(-RECENT_CHARS);
  return (
    findByForm(mode, recent, FORMS) ??
    findByStatus(trouble, recent) ??
    findCrash(recent, exit) ??
    findByMode(mode, recent, exit)
  );
}

function findByForm(mode: Mode, text: string, forms: readonly Form[]): Cause | null {
  for (const { code, pattern, modes } of forms) {
    if (modes !== undefined && !modes.includes(mode)) continue;
    const detail = findLine(text, pattern);
    if (detail !== null) return { code, detail };
  }
  return null;
}

function findByStatus({ mode, wasOffered }: Trouble, recent: string): Cause | null {
  const match = STATUS.exec(recent);
  const status = Number(match?.[1] ?? match?.[2]);
  if (match === null) return null;
  const detail = `HTTP ${status}`;
  if (mode === 'token' && [400, 401, 403].includes(status)) return { code: 'token_refused', detail };
  const isRefused = status < 500 && status !== 429;
  if (mode === 'device_code' && !wasOffered && isRefused) return { code: 'device_code_refused', detail };
  return { code: 'provider_http', detail };
}

function findCrash(recent: string, exit: ChildExit | null): Cause | null {
  if (exit?.signal && CRASH_SIGNALS.includes(exit.signal))
    return { code: 'cli_crashed', detail: `signal ${exit.signal}` };
  const line = findLine(recent, EXCEPTION);
  if (line === null) return null;
  // A trace names where; the line before it says what.
  const what = /^\s*at /.test(line)
    ? (findLine(recent, /^(?!\s*at )[^\n]*(?:error|exception)[^\n]*$/im) ?? line)
    : line;
  return { code: 'cli_crashed', detail: what };
}

/** A CLI that was given a token and ended with an error has said enough. */
function findByMode(mode: Mode, recent: string, exit: ChildExit | null): Cause | null {
  if (mode !== 'token' || exit === null || exit.exitCode === 0) return null;
  const last = recent.split(/[\r\n]+/).findLast((line) => line.trim() !== '');
  return { code: 'token_refused', detail: last?.trim() ?? `code ${exit.exitCode ?? exit.signal}` };
}

/** The whole line around the match. */
function findLine(text: string, pattern: RegExp): string | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const start = text.lastIndexOf('\n', match.index + match[0].search(/\S|$/)) + 1;
  const end = text.indexOf('\n', Math.max(start, match.index + match[0].length - 1));
  return text.slice(start, end === -1 ? undefined : end);
}
