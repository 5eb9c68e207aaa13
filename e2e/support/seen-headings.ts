/** Notes every heading that a page shows from now on, however shortly, so that a test can tell that nothing false was among them. */
import type { Page } from '@playwright/test';

const WATCH = `(() => {
  const seen = (window.seenHeadings = []);
  const look = () => {
    for (const { textContent } of document.querySelectorAll('h1')) if (!seen.includes(textContent)) seen.push(textContent);
  };
  look();
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
})()`;

/** Returns what has been seen so far, in order, each heading once. A reload of the page ends the watching: reading then throws. */
export async function watchHeadings(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(WATCH);
  return () => page.evaluate<string[]>('[...window.seenHeadings]');
}
