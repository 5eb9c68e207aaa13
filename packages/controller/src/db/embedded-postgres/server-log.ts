/** The server's log file: the server keeps it open and outlives us, so it is bounded from outside, by copying and emptying it. */
import { copyFile, open, stat, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

const MAX_BYTES = 1024 * 1024;
const CHECK_MS = 60_000;

/** Keeps one older copy, `<path>.1`. */
export async function boundServerLog(path: string, maxBytes = MAX_BYTES): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= maxBytes) return;
  await copyFile(path, `${path}.1`);
  await truncate(path);
}

/** Appending, so that emptying the file makes the server write from its start again. */
export function openServerLog(path: string): Promise<FileHandle> {
  return open(path, 'a', 0o600);
}

/** What process `pid` wrote since the file had `offset` bytes; all of it when no line carries the pid. */
export async function readServerLog(path: string, offset: number, pid: number): Promise<string> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(Math.max(size - offset, 0), 64 * 1024);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString().split('\n');
    const own = lines.filter((line) => line.includes(`[${pid}]`));
    return (own.length > 0 ? own : lines).join('\n');
  } finally {
    await handle.close();
  }
}

/** Bounds the file for as long as this process lives; returns what ends it. */
export function watchServerLog(path: string): () => void {
  const timer = setInterval(() => void boundServerLog(path).catch(() => undefined), CHECK_MS).unref();
  return () => clearInterval(timer);
}
