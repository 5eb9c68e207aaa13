/** Clock and statistics of the benches. */

/** Wall-clock milliseconds with a fraction; comparable between processes of this machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The nearest-rank percentile, rounded to 0.1. Throws when there is nothing to rank. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  if (value === undefined) throw new Error('nothing was measured');
  return round(value, 1);
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
