/** How the command ends otherwise than well: a sentence for a person and an exit code. The closed list of exit codes is here. */
import { AppError, ERRORS } from '@vestibule/protocol/errors';

export const EXIT_CODES = {
  done: 0,
  /** It was tried, and it did not work: a sign-in that ended otherwise, a login or a file that is not usable. */
  failed: 1,
  usage: 2,
  unreachable: 3,
  token_refused: 4,
  /** No such provider, not offered here now, its notice not accepted, or this way not offered. */
  not_offered: 5,
  /** A question had to be answered, and nobody was there to ask. */
  no_answer: 6,
  interrupted: 130,
} as const;
export type Exit = keyof typeof EXIT_CODES;

export class CliError extends Error {
  readonly exit: Exit;

  constructor(exit: Exit, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CliError';
    this.exit = exit;
  }
}

const CONNECTION_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name lookup failed',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  ECONNRESET: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
};

/** The system's code of the innermost error: fetch wraps what went wrong. */
export function findSystemCode(error: unknown): string | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if ('code' in at && typeof at.code === 'string' && !(at instanceof AppError)) return at.code;
  return null;
}

function toUnreachable(server: string, error: AppError): CliError {
  const code = findSystemCode(error);
  if (code === null && error.cause === undefined) {
    const words = error.detail ?? ERRORS[error.code].title;
    return new CliError('unreachable', `${server} cannot answer now: ${words}`, error);
  }
  if (code !== null && /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS/.test(code))
    return new CliError(
      'unreachable',
      `The certificate of ${server} is not trusted here (${code}). If a proxy reads along, name its certificate in NODE_EXTRA_CA_CERTS.`,
      error,
    );
  const why = code === null ? '' : ` (${CONNECTION_WORDS[code] ?? code})`;
  return new CliError(
    'unreachable',
    `${server} does not answer${why}. Check that Vestibule is running there, or name its address with --server or VESTIBULE_SERVER.`,
    error,
  );
}

/** Every error in words, with the code to end with. A defect keeps its own message. */
export function toCliError(error: unknown, server: string): CliError {
  if (error instanceof CliError) return error;
  if (!(error instanceof AppError))
    return new CliError('failed', `It failed unexpectedly: ${error instanceof Error ? error.message : String(error)}`);
  const words = error.detail ?? ERRORS[error.code].title;
  switch (error.code) {
    case 'not_ready':
      return toUnreachable(server, error);
    case 'unauthenticated':
      return new CliError(
        'token_refused',
        `${server} refused the token. The right one is in the file operator-token of that server's data folder: copy it here and name it with --token-file, or give it as VESTIBULE_TOKEN.`,
        error,
      );
    case 'rate_limited':
      return new CliError('token_refused', words, error);
    case 'unknown_provider':
    case 'provider_unavailable':
    case 'mode_not_offered':
      return new CliError('not_offered', words, error);
    case 'not_found':
      return new CliError('unreachable', `What answers at ${server} does not know this request: ${words}`, error);
    case 'internal':
      return new CliError(
        'failed',
        error.cause === undefined
          ? `Something went wrong on ${server}; its log says what.`
          : `What answers at ${server} is not this version of Vestibule: its answer has an unknown form.`,
        error,
      );
    default:
      return new CliError('failed', words, error);
  }
}
