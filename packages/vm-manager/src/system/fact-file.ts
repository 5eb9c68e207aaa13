/** Writes a small file so that a reader sees the old or the whole new content. Synchronous: a supervisor does it as its last act. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** For what has no meaning after a power cut. Mode 0600. */
export function writeFact(path: string, content: string): void {
  replace(path, content, () => undefined);
}

/** Also after a power cut. Mode 0600. */
export function writeFactDurably(path: string, content: string): void {
  replace(path, content, fsyncSync);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function replace(path: string, content: string, flush: (file: number) => void): void {
  const draft = `${path}.${process.pid}.tmp`;
  const file = openSync(draft, 'w', 0o600);
  try {
    writeFileSync(file, content);
    flush(file);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}
