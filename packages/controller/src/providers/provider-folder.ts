/** One folder of definition files: what is in it, told cheaply enough to ask often, and what its files hold. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseProviderFile, type ProviderFileResult } from './provider-file.ts';

/** `stamp` differs once the file was written again. */
export type FoundFile = { file: string; folder: string; stamp: string };
/** `error`: words, when the folder cannot be read now. */
export type FolderListing = { folder: string; files: FoundFile[]; error: string | null };

function toReason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

/** Definition files in the order of their names. Reads no file. */
export function listFolder(folder: string): FolderListing {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.yaml') || name.endsWith('.yml'));
    const files = names.toSorted().flatMap((name) => findFile(folder, join(folder, name)));
    return { folder, files, error: null };
  } catch (error) {
    return { folder, files: [], error: `the folder cannot be read (${toReason(error)})` };
  }
}

/** Empty when it was removed since it was listed. */
function findFile(folder: string, file: string): FoundFile[] {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return [];
  return [{ file, folder, stamp: [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':') }];
}

/** Never throws: a file that cannot be read has that as its problem. */
export function readProviderFile(file: string): ProviderFileResult {
  try {
    return parseProviderFile(readFileSync(file, 'utf8'));
  } catch (error) {
    const hint =
      toReason(error) === 'ENOENT' ? 'is its path right?' : 'the user that runs this must be able to read it';
    return { ok: false, problems: [{ line: null, path: '', message: `cannot be read (${toReason(error)})`, hint }] };
  }
}
