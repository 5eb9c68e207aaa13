/**
 * Display and browser together, started at boot before anybody claims the VM. Posts `display` and `browser` as each becomes usable; a
 * desktop that fails says so once.
 */
import { mkdir } from 'node:fs/promises';
import { startBrowser, type Browser } from './browser.ts';
import type { Capabilities } from './capabilities.ts';
import { toExitWords } from './child.ts';
import { createDeferred } from './deferred.ts';
import { startDisplay, type Display } from './display.ts';
import type { Log } from './log.ts';
import { createReleaser } from './releaser.ts';

export type Desktop = {
  /** `DISPLAY` and `XAUTHORITY`, as far as they are known yet. */
  displayEnv: () => Readonly<Record<string, string>>;
  /** Waits for the browser when it is not up yet. Rejects with words when there is no browser to open it. */
  open: (url: string) => Promise<void>;
  /** Resolves with words when there is no usable browser and will be none. */
  failed: Promise<string>;
  /** Closes browser and display; the live view ends with them. */
  close: () => Promise<void>;
};

export type DesktopOptions = {
  chromium: string;
  dir: string;
  rfbSocket: string;
  env: Readonly<Record<string, string>>;
  capabilities: Capabilities;
  log: Log;
};

const PAINT_WITHIN_MS = 30_000;

export function startDesktop({ chromium, dir, rfbSocket, env, capabilities, log }: DesktopOptions): Desktop {
  const releaser = createReleaser(log);
  const failed = createDeferred<string>();
  let displayEnv: Record<string, string> = {};
  let closing = false;

  const lose = (name: 'display' | 'browser', detail: string): void => {
    if (closing) return;
    capabilities.miss(name, detail);
    failed.resolve(detail);
  };
  const loseBrowser = (detail: string): void => lose('browser', detail);
  const start = async (): Promise<Browser> => {
    await mkdir(dir, { mode: 0o700 });
    const display = await startDisplay({ dir, rfbSocket, env, releaser, log });
    displayEnv = display.env;
    capabilities.have('display');
    void watchDisplay(display);
    return startBrowser({
      program: chromium,
      dir,
      env: { ...env, ...display.env },
      releaser,
      log,
      onFailed: loseBrowser,
    });
  };
  const watchDisplay = async ({ ended }: Display): Promise<void> => {
    lose('display', `the display ended with ${toExitWords(await ended)}`);
  };
  const watchPaint = async ({ painted }: Browser): Promise<void> => {
    const late = setTimeout(() => {
      if (!capabilities.has('browser')) lose('browser', `the browser painted nothing within ${PAINT_WITHIN_MS} ms`);
    }, PAINT_WITHIN_MS);
    releaser.defer('paint timer', () => clearTimeout(late));
    await painted;
    capabilities.have('browser');
  };

  const browser = start();
  browser
    .then(watchPaint)
    .catch((error: Error) => lose(capabilities.has('display') ? 'browser' : 'display', error.message));

  return {
    displayEnv: () => displayEnv,
    failed: failed.promise,
    async open(url) {
      await (await browser).open(url);
      // The browser's window may have taken the URL before its waiting page was painted.
      capabilities.have('browser');
    },
    async close() {
      closing = true;
      await browser.catch(() => undefined);
      await releaser.releaseAll();
    },
  };
}
