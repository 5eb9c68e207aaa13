/**
 * The programs that a CLI finds when it looks for a browser: tiny shell scripts that drop the URL into a private folder, which the agent
 * watches. A file appears whole (written aside, then moved), and the scripts never wait for anybody.
 */
import { watch } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type BrowserShim = {
  /** First in the CLI's `PATH`. */
  binDir: string;
  /** The CLI's `BROWSER`. */
  program: string;
  close: () => void;
};

/** The names by which CLIs and their libraries start a browser on Linux. */
const NAMES = ['vestibule-browser', 'xdg-open', 'x-www-browser', 'www-browser', 'sensible-browser', 'gnome-open'];

/** `dir` must be private and its path free of blanks and `%`, which libraries read in `BROWSER` as more than a path. */
export async function createBrowserShim(dir: string, onUrl: (candidate: string) => void): Promise<BrowserShim> {
  const binDir = join(dir, 'bin');
  const dropDir = join(dir, 'urls');
  await mkdir(binDir, { recursive: true, mode: 0o700 });
  await mkdir(dropDir, { recursive: true, mode: 0o700 });
  const script = toScript(dropDir);
  await Promise.all(NAMES.map((name) => writeFile(join(binDir, name), script, { mode: 0o700 })));

  const collect = async (): Promise<void> => {
    for (const name of (await readdir(dropDir)).filter((entry) => entry.startsWith('url.'))) {
      const path = join(dropDir, name);
      const text = await readFile(path, 'utf8');
      await rm(path);
      for (const line of text.split('\n')) if (line !== '') onUrl(line);
    }
  };
  // One after the other, so that no file is read twice.
  let collecting = Promise.resolve();
  const watcher = watch(dropDir, () => {
    collecting = collecting.then(collect).catch(() => undefined);
  });
  return { binDir, program: join(binDir, 'vestibule-browser'), close: () => watcher.close() };
}

function toScript(dropDir: string): string {
  return `#!/bin/sh
umask 077
printf '%s\\n' "$@" >"${dropDir}/.$$" && exec /bin/mv "${dropDir}/.$$" "${dropDir}/url.$$"
`;
}
