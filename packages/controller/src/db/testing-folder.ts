/** A temporary data folder for a test of the embedded PostgreSQL, removed with its server, whatever the test left running. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { toClusterFolder } from './embedded-postgres/cluster-folder.ts';
import { stopPostmaster } from './embedded-postgres/postmaster.ts';

/** @param below folders to be made by the start itself. */
export async function makeTestFolder(below = '.'): Promise<{ dataDir: string; remove(): Promise<void> }> {
  const base = await mkdtemp(join(tmpdir(), 'vestibule-test-'));
  // The data folder itself is opened for the server's user by the start, a folder above it is not.
  if (below !== '.') await chmod(base, 0o755);
  const dataDir = join(base, below);
  return {
    dataDir,
    async remove() {
      const folder = toClusterFolder(dataDir);
      await stopPostmaster(folder);
      await rm(folder.run, { recursive: true, force: true });
      await rm(base, { recursive: true, force: true });
    },
  };
}

/** As `makeTestFolder`, removed at the end of the test. */
export async function createTestFolder(below?: string): Promise<string> {
  const { dataDir, remove } = await makeTestFolder(below);
  onTestFinished(remove);
  return dataDir;
}
