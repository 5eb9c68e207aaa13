/** A countdown from a duration that the server gave, on the monotonic clock; the page's own wall clock is never asked. */
import { useEffect, useState } from 'react';

/** Milliseconds left of `durationMs`, counted from `fromMs` (a `performance.now()`); null stays null. Re-renders about once a second. */
export function useRemaining(durationMs: number | null, fromMs: number): number | null {
  const [nowMs, setNowMs] = useState(() => performance.now());
  const leftMs = durationMs === null ? null : Math.max(0, Math.min(durationMs, durationMs - (nowMs - fromMs)));
  useEffect(() => {
    if (leftMs === null || leftMs === 0) return;
    const toNextSecondMs = leftMs % 1_000 || 1_000;
    const timer = setTimeout(() => setNowMs(performance.now()), toNextSecondMs);
    return () => clearTimeout(timer);
  }, [leftMs]);
  return leftMs;
}
