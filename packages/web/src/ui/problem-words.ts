/** Words for whatever a request threw. */
import { AppError, ERRORS } from '@vestibule/protocol/errors';

export function isUnauthenticated(error: unknown): boolean {
  return error instanceof AppError && error.code === 'unauthenticated';
}

/** One or two sentences for a person; never the text of an unknown exception. */
export function toProblemWords(error: unknown): string {
  if (!(error instanceof AppError)) return 'Something went wrong on this page. Reload it and try again.';
  if (error.code === 'unauthenticated') return error.detail ?? 'That link or token was not accepted.';
  return error.detail ?? `${ERRORS[error.code].title}.`;
}
