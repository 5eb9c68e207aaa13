/** Why the embedded PostgreSQL cannot be used, in words for the operator: what was tried, on what, what to do. */
export type EmbeddedPostgresErrorCode =
  | 'unsupported_platform'
  | 'no_system_user'
  | 'folder_unreachable'
  | 'folder_not_writable'
  | 'foreign_owner'
  | 'disk_full'
  | 'version_mismatch'
  | 'foreign_process'
  | 'start_failed'
  | 'not_answering'
  | 'stop_failed';

export class EmbeddedPostgresError extends Error {
  readonly code: EmbeddedPostgresErrorCode;

  constructor(code: EmbeddedPostgresErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EmbeddedPostgresError';
    this.code = code;
  }
}

const FILE_CODES: Record<string, { code: EmbeddedPostgresErrorCode; hint: string }> = {
  EACCES: {
    code: 'folder_not_writable',
    hint: 'Give this user the folder, or choose another with VESTIBULE_DATA_DIR.',
  },
  EPERM: { code: 'folder_not_writable', hint: 'Give this user the folder, or choose another with VESTIBULE_DATA_DIR.' },
  EROFS: { code: 'folder_not_writable', hint: 'Its file system is read-only: choose another with VESTIBULE_DATA_DIR.' },
  ENOTDIR: {
    code: 'folder_not_writable',
    hint: 'A part of that path is a file: choose another with VESTIBULE_DATA_DIR.',
  },
  ENOSPC: { code: 'disk_full', hint: 'The disk is full: free some space (about 300 MB are needed) and start again.' },
  EDQUOT: { code: 'disk_full', hint: 'The disk quota is used up: free some space and start again.' },
};

/** Runs work on files; a file-system error becomes one that names `operation` and says what to do. */
export async function withFileErrors<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = FILE_CODES[(error as NodeJS.ErrnoException).code ?? ''];
    if (known === undefined) throw error;
    throw new EmbeddedPostgresError(
      known.code,
      `${operation} failed: ${(error as Error).message}. ${known.hint}`,
      error,
    );
  }
}

/** What a PostgreSQL program wrote before it gave up, as an error; `operation` says what was tried. */
export function toProgramError(operation: string, output: string): EmbeddedPostgresError {
  const text = output.trim().split('\n').slice(-12).join('\n');
  if (/No space left on device|Disk quota exceeded/i.test(output)) {
    return new EmbeddedPostgresError(
      'disk_full',
      `${operation} failed: the disk is full. Free some space and start again.\n${text}`,
    );
  }
  if (/Permission denied|Read-only file system/i.test(output)) {
    return new EmbeddedPostgresError(
      'folder_not_writable',
      `${operation} failed: a folder cannot be written.\n${text}`,
    );
  }
  return new EmbeddedPostgresError('start_failed', `${operation} failed. PostgreSQL said:\n${text}`);
}
