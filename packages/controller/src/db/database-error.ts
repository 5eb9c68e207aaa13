/**
 * What can go wrong between us and the database, told apart. Refusals by a constraint stay `pg`'s own errors: only the store that
 * wrote the statement knows what they mean.
 */
import { AppError } from '@vestibule/protocol/errors';
import pg from 'pg';

/** Nothing was done, or a single statement's outcome is unknown; a later attempt may succeed. */
export class DatabaseUnavailableError extends AppError {
  constructor(cause: unknown) {
    super('not_ready', 'The database cannot be reached now. Try again in a moment.', cause);
    this.name = 'DatabaseUnavailableError';
  }
}

/** Nothing was done: another transaction changed the same rows; the same again may succeed. */
export class SerializationError extends AppError {
  constructor(cause: unknown) {
    super('not_ready', 'Somebody else changed the same thing at this moment. Try again.', cause);
    this.name = 'SerializationError';
  }
}

/** The connection was lost during COMMIT: it is unknown whether the transaction took place. Read the rows again (I5). */
export class CommitUnknownError extends AppError {
  constructor(cause: unknown) {
    super('not_ready', 'The connection to the database was lost while saving. Look again whether it was saved.', cause);
    this.name = 'CommitUnknownError';
  }
}

/** A statement had failed, the work went on nevertheless, and COMMIT rolled everything back. A fault of the caller. */
export class RolledBackError extends Error {
  constructor() {
    super('the transaction was rolled back by COMMIT, since a statement in it had failed');
    this.name = 'RolledBackError';
  }
}

const LOST_SYSTEM_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** `pg` gives these no code. */
const LOST_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Client (was closed|has encountered)|Cannot use a pool)/;
/** Connection exceptions (08), too many connections, and the server or an operator ending the connection. */
const LOST_STATES = /^(08...|53300|57P0[1-5]|25P03|25P04)$/;
const RETRY_STATES = /^(40001|40P01)$/;

/** The connection is gone or never was; the server cannot be asked any more. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return LOST_STATES.test(error.code ?? '');
  if (error instanceof AggregateError) return error.errors.some(isConnectionLost);
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? LOST_MESSAGES.test(error.message) : LOST_SYSTEM_CODES.has(code);
}

/** The error that callers see; what is neither a lost connection nor a conflict is returned as it is. */
export function toDatabaseError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (isConnectionLost(error)) return new DatabaseUnavailableError(error);
  if (error instanceof pg.DatabaseError && RETRY_STATES.test(error.code ?? '')) return new SerializationError(error);
  return error;
}

/** Unless the server itself says that the transaction failed, nobody knows. */
export function toCommitError(error: unknown): unknown {
  const isRefused = error instanceof pg.DatabaseError && !isConnectionLost(error) && error.code !== '40003';
  return isRefused ? toDatabaseError(error) : new CommitUnknownError(error);
}
