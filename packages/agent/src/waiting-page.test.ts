import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createWaitingPage } from './waiting-page.ts';

const TARGET = 'https://id.example.test/authorize?state=1';

async function createPage() {
  const page = await createWaitingPage();
  onTestFinished(page.close);
  let painted = false;
  void page.painted.then(() => (painted = true));
  /** As a browser without an address bar would. */
  const visit = () => fetch(page.url, { redirect: 'manual' });
  const ask = (signal?: AbortSignal) => fetch(`${page.url}/target`, signal ? { signal } : {});
  return { page, visit, ask, isPainted: () => painted };
}

test('is painted when the page itself says so, not when it is fetched', async () => {
  const { page, visit, isPainted } = await createPage();
  const text = await (await visit()).text();
  expect(isPainted()).toBe(false);
  const [, path = ''] = /fetch\('([^']+painted)'\)/.exec(text) ?? [];
  await fetch(new URL(path, page.url));
  await page.painted;
});

test('the page that is shown goes to the sign-in page as soon as that is known', async () => {
  const { page, ask } = await createPage();
  const asked = await ask();
  const taken = page.leadTo(TARGET);
  expect(await asked.text()).toBe(TARGET);
  await taken;
});

test('a browser that comes later is sent to the sign-in page at once, each time', async () => {
  const { page, visit } = await createPage();
  const taken = page.leadTo(TARGET);
  for (let visits = 0; visits < 2; visits += 1) {
    const answer = await visit();
    expect([answer.status, answer.headers.get('location')]).toEqual([302, TARGET]);
  }
  await taken;
});

test('nobody counts as sent before a browser came', async () => {
  const { page, visit } = await createPage();
  const taken = page.leadTo(TARGET).then(() => 'taken');
  expect(await Promise.race([taken, delay(20, 'not yet')])).toBe('not yet');
  await visit();
  expect(await taken).toBe('taken');
});

test('knows when the person has gone elsewhere in it', async () => {
  const { page, visit, ask } = await createPage();
  await visit();
  expect(page.wasLeft()).toBe(false);
  const shown = new AbortController();
  const asked = await ask(shown.signal);
  expect(page.wasLeft()).toBe(false);
  shown.abort();
  await asked.text().catch(() => undefined);
  await expect.poll(page.wasLeft, { interval: 1 }).toBe(true);
});

test('a target that no header can carry as it is, is written as the browser would write it', async () => {
  const { page, visit } = await createPage();
  void page.leadTo('https://id.example.test/Zoë?q=ß');
  expect((await visit()).headers.get('location')).toBe('https://id.example.test/Zo%C3%AB?q=%C3%9F');
});

test('shows nothing to whoever does not know its path', async () => {
  const { page, isPainted } = await createPage();
  void page.leadTo(TARGET);
  for (const path of ['/', '/painted', '/target', '/favicon.ico']) {
    const answer = await fetch(new URL(path, page.url), { redirect: 'manual' });
    expect([answer.status, await answer.text()]).toEqual([404, '']);
  }
  expect(isPainted()).toBe(false);
});
