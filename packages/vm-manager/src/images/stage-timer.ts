/** Tells when each stage of a build starts and ends, and how long it took. */
import type { Stage, Tell } from './build-event.ts';

type SayProgress = (percent: number | null, words: string) => void;
/** A result with `isCached` tells whether the stage had nothing to do. */
export type Timed = <T>(stage: Stage, work: (say: SayProgress) => Promise<T>) => Promise<T>;

export function createTimer(tell: Tell): Timed {
  return async (stage, work) => {
    const startedAt = performance.now();
    tell({ type: 'stage_started', stage });
    const result = await work((percent, words) => tell({ type: 'stage_progressed', stage, percent, words }));
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    const isCached = typeof result === 'object' && result !== null && 'isCached' in result && result.isCached === true;
    tell({ type: 'stage_finished', stage, seconds, isCached });
    return result;
  };
}
