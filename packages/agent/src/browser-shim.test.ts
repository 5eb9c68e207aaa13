import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createBrowserShim } from './browser-shim.ts';
import { createFolder } from './testing-folder.ts';

const run = promisify(execFile);
const URL_TEXT = 'https://id.example/authorize?a=$HOME&b=`id`&c="x"&d=%20\'';

async function createShim() {
  const urls: string[] = [];
  const shim = await createBrowserShim(createFolder(), (url) => urls.push(url));
  onTestFinished(shim.close);
  return { shim, urls };
}

test.each(['xdg-open', 'x-www-browser', 'sensible-browser', 'vestibule-browser'])(
  'hands over exactly what %s was given, and ends with 0',
  async (name) => {
    const { shim, urls } = await createShim();
    await run(join(shim.binDir, name), [URL_TEXT]);
    await vi.waitFor(() => expect(urls).toEqual([URL_TEXT]));
  },
);

test('loses none of many URLs at once', async () => {
  const { shim, urls } = await createShim();
  const sent = Array.from({ length: 20 }, (_, index) => `https://id.example/${index}`);
  await Promise.all(sent.map((url) => run(shim.program, [url])));
  await vi.waitFor(() => expect(urls.toSorted()).toEqual(sent.toSorted()));
});
