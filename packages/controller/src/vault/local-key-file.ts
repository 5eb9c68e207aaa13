/**
 * The master key's file, one line: `vestibule-master-key-v1:` and 32 bytes in base64url. Made once, with 0600; refused whenever
 * anybody else could have read or written it.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Secret } from '@vestibule/protocol/secret';
import { KEY_BYTES } from './aes-gcm.ts';
import { KeyFileError } from './key-file-error.ts';

const PREFIX = 'vestibule-master-key-v1:';
const FORMAT = /^vestibule-master-key-v1:([A-Za-z0-9_-]{43})\n?$/;
/** No more is read of a file that is not ours. */
const MAX_BYTES = 256;

async function assertPrivate(path: string, handle: FileHandle): Promise<void> {
  const found = await handle.stat();
  if (!found.isFile())
    throw new KeyFileError('not_a_file', `The master key ${path} is not a file. Set VESTIBULE_MASTER_KEY_FILE to one.`);
  const self = process.getuid?.();
  if (self !== undefined && found.uid !== self && found.uid !== 0) {
    throw new KeyFileError(
      'foreign_owner',
      `The master key ${path} belongs to another user (id ${found.uid}). Run: chown ${self} '${path}'`,
    );
  }
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    throw new KeyFileError(
      'readable_by_others',
      `The master key ${path} is open to other users (mode ${mode}). Run: chmod 600 '${path}'`,
    );
  }
}

function parseKey(path: string, text: string): Buffer {
  const key = Buffer.from(FORMAT.exec(text)?.[1] ?? '', 'base64url');
  if (key.length === KEY_BYTES) return key;
  const what = text.startsWith(PREFIX)
    ? 'holds a key of another length'
    : 'holds something else than a key made by Vestibule';
  throw new KeyFileError(
    'wrong_format',
    `The master key file ${path} ${what}. Restore the right file from your backup, or correct VESTIBULE_MASTER_KEY_FILE.`,
  );
}

/** Null when there is no such file. @throws KeyFileError */
async function findKey(path: string): Promise<Buffer | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const hint = `Give the user that runs Vestibule the file and its folder.`;
    throw new KeyFileError(
      'unreadable',
      `The master key ${path} cannot be read: ${(error as Error).message}. ${hint}`,
      error,
    );
  }
  try {
    await assertPrivate(path, handle);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return parseKey(path, buffer.toString('latin1', 0, bytesRead));
  } finally {
    await handle.close();
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Written whole beside its place, then linked into it: a crash leaves no half key, and of two starters one wins. */
async function createKeyFile(path: string): Promise<void> {
  const fresh = `${path}.new-${randomBytes(6).toString('hex')}`;
  const handle = await open(fresh, 'wx', 0o600);
  try {
    await handle.writeFile(`${PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}\n`);
    await handle.sync();
    await link(fresh, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await handle.close();
    await unlink(fresh);
  }
  await sync(dirname(path));
}

/**
 * @param mayCreate only while nothing is sealed: a new key opens no old record
 * @throws KeyFileError
 */
export async function loadLocalKeyFile(path: string, mayCreate: boolean): Promise<Secret<Buffer>> {
  const found = await findKey(path);
  if (found !== null) return new Secret(found);
  if (!mayCreate) {
    throw new KeyFileError(
      'missing',
      `The master key ${path} is missing, and the database knows one already: without it stored logins cannot be opened. ` +
        'Restore the file from your backup, or set VESTIBULE_MASTER_KEY_FILE to where it is.',
    );
  }
  try {
    await createKeyFile(path);
  } catch (error) {
    const hint = 'Make its folder writable for the user that runs Vestibule, or free some space.';
    throw new KeyFileError(
      'not_written',
      `The master key ${path} cannot be made: ${(error as Error).message}. ${hint}`,
      error,
    );
  }
  const created = await findKey(path);
  if (created === null) throw new KeyFileError('missing', `The master key ${path} vanished while it was being made.`);
  return new Secret(created);
}
