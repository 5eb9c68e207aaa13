/** How many sign-ins can begin at once before each takes twice as long as one alone. */
import { percentile, round } from './measures.ts';
import { runProduct, type ProductRunOptions } from './product-run.ts';
import type { PageClient } from './page-client.ts';

const COUNTS = [2, 3, 4, 6, 8, 12, 16, 24, 32];
const TOO_SLOW = 2;

export type MostAtOnce = {
  /** The most of those tried that stayed below twice the time of one alone, all clicked and none ended. */
  most: number;
  /** Why no more were tried. */
  ended_by: 'slower' | 'failed' | 'not_reached';
  problem?: string;
  tried: { at_once: number; p50_ms: number; ratio: number }[];
};

/**
 * Each sign-in stays open until all of its round were clicked or failed.
 * @param aloneMs the median time to the click of one alone
 */
export async function findMostAtOnce(
  page: PageClient,
  options: ProductRunOptions,
  aloneMs: number,
): Promise<MostAtOnce> {
  const tried: MostAtOnce['tried'] = [];
  let most = 1;
  for (const count of COUNTS) {
    const begun = await beginAtOnce(page, options, count);
    if ('problem' in begun) return { most, ended_by: 'failed', problem: begun.problem, tried };
    const median = percentile(begun.clicks, 50);
    const ratio = round(median / aloneMs, 2);
    tried.push({ at_once: count, p50_ms: median, ratio });
    if (ratio > TOO_SLOW) return { most, ended_by: 'slower', tried };
    most = count;
  }
  return { most, ended_by: 'not_reached', tried };
}

async function beginAtOnce(
  page: PageClient,
  options: ProductRunOptions,
  count: number,
): Promise<{ clicks: number[] } | { problem: string }> {
  let waiting = count;
  let release = (): void => undefined;
  const allThere = new Promise<void>((resolve) => (release = resolve));
  const arrive = (): void => {
    waiting -= 1;
    if (waiting === 0) release();
  };
  const hold = async (): Promise<void> => {
    arrive();
    await allThere;
  };
  const runs = Array.from({ length: count }, () =>
    runProduct(page, { ...options, hold }).catch((error: unknown) => {
      arrive();
      throw error;
    }),
  );
  const ended = await Promise.allSettled(runs);
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed !== undefined)
    return { problem: failed.reason instanceof Error ? failed.reason.message : String(failed.reason) };
  return { clicks: ended.flatMap((each) => (each.status === 'fulfilled' ? each.value.click : [])) };
}
