import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { watchHome } from './home-watch.ts';
import { createFolder, writeInto } from './testing-folder.ts';

const PATH = '.config/tool/auth.json';
/** So long that only the kernel's events can be what is noticed. */
const NEVER_MS = 3_600_000;

function startWatch(home: string, lookAgainMs = NEVER_MS) {
  let changes = 0;
  const watch = watchHome(home, [PATH], () => (changes += 1), lookAgainMs);
  onTestFinished(watch.close);
  return {
    /** Whether a change that `act` causes is told of, within a second. */
    async noticed(act: () => void): Promise<boolean> {
      const before = changes;
      act();
      return vi.waitUntil(() => changes > before);
    },
  };
}

test('follows folders as they come into being', async () => {
  const home = createFolder();
  const { noticed } = startWatch(home);
  expect(await noticed(() => mkdirSync(join(home, '.config')))).toBe(true);
  expect(await noticed(() => mkdirSync(join(home, '.config/tool')))).toBe(true);
  expect(await noticed(() => writeInto(home, PATH, 'one'))).toBe(true);
  expect(await noticed(() => writeInto(home, PATH, 'two'))).toBe(true);
});

test('follows a folder that is removed and made again', async () => {
  const home = createFolder();
  writeInto(home, PATH, 'one');
  const { noticed } = startWatch(home);
  expect(await noticed(() => rmSync(join(home, '.config'), { recursive: true }))).toBe(true);
  expect(await noticed(() => mkdirSync(join(home, '.config')))).toBe(true);
  expect(await noticed(() => mkdirSync(join(home, '.config/tool')))).toBe(true);
  expect(await noticed(() => writeInto(home, PATH, 'two'))).toBe(true);
});

test('notices a file that is moved into place', async () => {
  const home = createFolder();
  writeInto(home, `${PATH}.new`, 'one');
  const { noticed } = startWatch(home);
  expect(await noticed(() => renameSync(join(home, `${PATH}.new`), join(home, PATH)))).toBe(true);
});

test('looks again now and then without any event', async () => {
  const { noticed } = startWatch(createFolder(), 20);
  expect(await noticed(() => undefined)).toBe(true);
});
