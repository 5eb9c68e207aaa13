/** The browser's life with a program in Chromium's place: it asks for its page as Chromium does, and tells what it was sent to. */
import { appendFileSync, chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startBrowser } from './browser.ts';
import { createReleaser } from './releaser.ts';
import { createFolder } from './testing-folder.ts';

const TARGET = 'https://id.example.test/authorize';

/** `act` is what it does after its first visit; each start and each place it was sent to is one line of the diary. */
function writeBrowser(folder: string, act: string): string {
  const path = join(folder, 'chromium');
  const diary = JSON.stringify(join(folder, 'diary'));
  const script = `#!${process.execPath}
const { appendFileSync } = require('node:fs');
const note = (text) => appendFileSync(${diary}, text + '\\n');
const url = process.argv.at(-1);
const stay = () => setInterval(() => undefined, 1000);
note('start');
appendFileSync(${JSON.stringify(join(folder, 'argv'))}, process.argv.join(' '));
fetch(url, { redirect: 'manual' }).then(async (page) => {
  if (page.status === 302) return note('sent to ' + page.headers.get('location'));
  ${act}
});
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  appendFileSync(join(folder, 'diary'), '');
  return path;
}

/** `program`: default, the one that writes the diary. */
async function start(act: string, { pace = 1, program }: { pace?: number; program?: string } = {}) {
  const dir = createFolder();
  const releaser = createReleaser(() => undefined);
  onTestFinished(releaser.releaseAll);
  const failures: string[] = [];
  const browser = await startBrowser({
    program: program ?? writeBrowser(dir, act),
    dir,
    env: { PATH: '/usr/bin:/bin' },
    screen: Promise.resolve(),
    releaser,
    pace,
    log: () => undefined,
    onFailed: (detail) => failures.push(detail),
  });
  const diary = (): string[] => readFileSync(join(dir, 'diary'), 'utf8').split('\n').slice(0, -1);
  return { dir, browser, diary, failures };
}

test('a browser that asks after the sign-in page is known goes there first, without a second start', async () => {
  const { browser, diary } = await start('stay();');
  await browser.open(TARGET);
  await expect.poll(diary).toEqual(['start', `sent to ${TARGET}`]);
});

test('a person who went elsewhere is shown the sign-in page by a second start, and no argv tells its address', async () => {
  const leave = `
  const shown = new AbortController();
  await fetch(url + '/target', { signal: shown.signal });
  shown.abort();
  await fetch(url + '/painted');
  note('left');
  stay();`;
  const { dir, browser, diary } = await start(leave);
  await expect.poll(diary).toEqual(['start', 'left']);
  await browser.open(TARGET);
  await expect.poll(diary).toEqual(['start', 'left', 'start', `sent to ${TARGET}`]);
  expect(readFileSync(join(dir, 'argv'), 'utf8')).not.toContain('example.test');
});

test('a browser that ends is started again, and fails in words when it never stays', async () => {
  const { diary, failures } = await start('process.exit(3);');
  await expect.poll(() => failures, { timeout: 5000 }).toEqual(['Chromium ended 4 times, last with code 3']);
  expect(diary()).toEqual(['start', 'start', 'start', 'start']);
});

test('a browser that asks for nothing is waited for as long as the pace of its machine says', async () => {
  const program = join(createFolder(), 'silent');
  writeFileSync(program, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
  const { browser } = await start('', { pace: 0.002, program });
  await expect(browser.open(TARGET)).rejects.toThrow('Chromium asked for no page within 40 ms');
});

test('no screen, no browser', async () => {
  const dir = createFolder();
  const options = { program: writeBrowser(dir, 'stay();'), dir, env: {}, pace: 1, log: () => undefined };
  const screen = Promise.reject(new Error('Xtigervnc ended with code 1'));
  screen.catch(() => undefined);
  const releaser = createReleaser(() => undefined);
  onTestFinished(releaser.releaseAll);
  const started = startBrowser({ ...options, screen, releaser, onFailed: () => undefined });
  await expect(started).rejects.toThrow('Xtigervnc ended with code 1');
  expect(readFileSync(join(dir, 'diary'), 'utf8')).toBe('');
  expect(existsSync(join(dir, 'profile'))).toBe(true);
});
