/** Reads `postmaster.pid`, by which PostgreSQL itself guards a data folder. We never write or delete it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type PostmasterFile = {
  pid: number;
  /** Null in the first moment of a start. */
  socketFolder: string | null;
  status: 'starting' | 'ready' | 'stopping' | 'unknown';
};

const STATUSES = ['starting', 'ready', 'stopping'] as const;

/** Null for a file that is just being written. */
export function parsePostmasterFile(text: string): PostmasterFile | null {
  const lines = text.split('\n').map((line) => line.trim());
  // A server without a postmaster (`postgres --single`) writes its pid negated.
  const pid = Math.abs(Number(lines[0]));
  if (!Number.isSafeInteger(pid) || pid === 0) return null;
  return { pid, socketFolder: lines[4] || null, status: STATUSES.find((status) => status === lines[7]) ?? 'unknown' };
}

export async function readPostmasterFile(data: string): Promise<PostmasterFile | null> {
  try {
    return parsePostmasterFile(await readFile(join(data, 'postmaster.pid'), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
}
