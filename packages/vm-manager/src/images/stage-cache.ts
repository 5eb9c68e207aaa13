/**
 * What the stages of a build made, each in a folder named by a hash of all that it was made from: `<cache>/<stage>-<key>/`, whole or
 * absent. Used by one build at a time.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

export type StageResult = { dir: string; key: string; isCached: boolean };
export type StageCache = ReturnType<typeof createStageCache>;

const PARTIAL = '.partial';

/** The same for equal inputs: their order in an object does not matter. */
export function toKey(inputs: unknown): string {
  return createHash('sha256').update(toStableText(inputs)).digest('hex').slice(0, 16);
}

function toStableText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** `keep`: folders of each stage that `prune` leaves, the newest first. */
export function createStageCache(cacheDir: string) {
  return {
    dir: cacheDir,

    /** `make` fills an empty folder. `isFresh`: make it anew even when it is there. */
    async run(
      stage: string,
      inputs: unknown,
      make: (dir: string) => Promise<void>,
      isFresh = false,
    ): Promise<StageResult> {
      const key = toKey(inputs);
      const dir = join(cacheDir, `${stage}-${key}`);
      if (existsSync(dir) && !isFresh) return { dir, key, isCached: true };
      const partial = `${dir}${PARTIAL}`;
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial, { recursive: true, mode: 0o755 });
      try {
        await make(partial);
        await rm(dir, { recursive: true, force: true });
        await rename(partial, dir);
      } finally {
        await rm(partial, { recursive: true, force: true });
      }
      return { dir, key, isCached: false };
    },

    /** What a build that was killed left behind. */
    async clearPartial(): Promise<void> {
      const left = (await list(cacheDir)).filter((name) => name.endsWith(PARTIAL));
      await Promise.all(left.map((name) => rm(join(cacheDir, name), { recursive: true, force: true })));
    },

    /** Removes what no stage of the last build used. */
    async prune(used: readonly string[]): Promise<void> {
      const old = (await list(cacheDir)).filter(
        (name) => /-[0-9a-f]{16}(?:\.partial)?$/.test(name) && !used.includes(join(cacheDir, name)),
      );
      await Promise.all(old.map((name) => rm(join(cacheDir, name), { recursive: true, force: true })));
    },
  };
}

const list = (dir: string): Promise<string[]> => readdir(dir).catch(() => []);
