import { expect, onTestFinished, test } from 'vitest';
import { createWaitingPage } from './waiting-page.ts';

async function createPage() {
  const page = await createWaitingPage();
  onTestFinished(page.close);
  let painted = false;
  void page.painted.then(() => (painted = true));
  return { page, isPainted: () => painted };
}

test('is painted when the page itself says so, not when it is fetched', async () => {
  const { page, isPainted } = await createPage();
  const text = await (await fetch(page.url)).text();
  expect(isPainted()).toBe(false);
  const [, path = ''] = /fetch\('([^']+)'\)/.exec(text) ?? [];
  await fetch(new URL(path, page.url));
  await page.painted;
});

test('shows nothing to whoever does not know its path', async () => {
  const { page, isPainted } = await createPage();
  for (const path of ['/', '/painted', '/favicon.ico']) {
    expect((await fetch(new URL(path, page.url))).status).toBe(404);
  }
  expect(isPainted()).toBe(false);
});
