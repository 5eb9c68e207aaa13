/** Why the master key file is refused, in words for the operator. Never shows what the file holds. */
export type KeyFileErrorCode =
  'missing' | 'not_a_file' | 'unreadable' | 'readable_by_others' | 'foreign_owner' | 'wrong_format' | 'not_written';

export class KeyFileError extends Error {
  readonly code: KeyFileErrorCode;

  constructor(code: KeyFileErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KeyFileError';
    this.code = code;
  }
}
