/** The disk that holds one data folder: a small tmpfs that can be filled to the last byte, and freed again. Needs root. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '@vestibule/vm-manager/system/run-command';

const SIZE_MIB = 64;
const BLOCK = Buffer.alloc(64 * 1024);

export type DataDisk = { dir: string; fill(): void; free(): void; unmount(): Promise<void> };

export async function mountDataDisk(dir: string): Promise<DataDisk> {
  mkdirSync(dir, { recursive: true });
  await runCommand(['mount', '-t', 'tmpfs', '-o', `size=${SIZE_MIB}m,mode=711`, 'vestibule-torture', dir]);
  const filler = join(dir, 'filler');
  return {
    dir,
    fill: () => fill(filler),
    free: () => rmSync(filler, { force: true }),
    unmount: async () => {
      // Lazily: a VM that still goes down may be on it.
      await runCommand(['umount', '-l', dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function fill(path: string): void {
  const file = openSync(path, 'w', 0o600);
  try {
    for (let bytes = BLOCK; bytes.length > 0; bytes = bytes.subarray(0, bytes.length >> 1)) writeUntilFull(file, bytes);
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, bytes: Buffer): void {
  try {
    for (;;) writeSync(file, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
