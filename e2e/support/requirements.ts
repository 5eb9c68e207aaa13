/** What a spec needs of the machine: lacking, it is skipped with the reason printed, or fails when REQUIRE lists it. */
import { test } from '@playwright/test';

/** @param why what root is needed for, in words */
export function skipUnlessRoot(why: string): void {
  if (process.geteuid?.() === 0) return;
  const words = `only root can do this here: ${why}`;
  if ((process.env['REQUIRE'] ?? '').split(',').includes('root')) throw new Error(`REQUIRE lists root, but ${words}`);
  console.warn(`skipped: ${words}`);
  test.skip(true, words);
}
