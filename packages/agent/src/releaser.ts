/** Releases whatever was acquired (processes, sockets, watches): newest first, each exactly once, one failure not stopping the others. */
import type { Log } from './log.ts';

export type Releaser = {
  defer: (what: string, release: () => void | Promise<void>) => void;
  /** Calling it again returns the same promise. Something deferred afterwards is released at once. */
  releaseAll: () => Promise<void>;
};

export function createReleaser(log: Log): Releaser {
  const held: { what: string; release: () => void | Promise<void> }[] = [];
  let releasing: Promise<void> | null = null;

  const releaseOne = async ({ what, release }: (typeof held)[number]): Promise<void> => {
    try {
      await release();
    } catch (error) {
      log('release failed', { what, error: error instanceof Error ? error.message : String(error) });
    }
  };
  const drain = async (): Promise<void> => {
    for (let next = held.pop(); next; next = held.pop()) await releaseOne(next);
  };

  return {
    defer(what, release) {
      if (releasing) void releaseOne({ what, release });
      else held.push({ what, release });
    },
    releaseAll() {
      releasing ??= drain();
      return releasing;
    },
  };
}
