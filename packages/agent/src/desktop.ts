/**
 * Display and browser together, started at boot before anybody claims the VM. Posts `display` and `browser` as each becomes usable; a
 * desktop that fails says so once.
 */
import { mkdirSync } from 'node:fs';
import { startBrowser, type Browser } from './browser.ts';
import type { Capabilities } from './capabilities.ts';
import { toExitWords } from './child.ts';
import { createDeferred } from './deferred.ts';
import { startDisplay, type Display } from './display.ts';
import type { Log } from './log.ts';
import { createReleaser } from './releaser.ts';

export type Desktop = {
  /** `DISPLAY` and `XAUTHORITY`; known before there is a display. */
  displayEnv: Readonly<Record<string, string>>;
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
  /** See `AgentConfig.pace`. */
  pace: number;
  log: Log;
};

const PAINT_WITHIN_MS = 30_000;

/** Has started the display when it returns. */
export function startDesktop({ chromium, dir, rfbSocket, env, capabilities, pace, log }: DesktopOptions): Desktop {
  const releaser = createReleaser(log);
  const failed = createDeferred<string>();
  let closing = false;

  const lose = (name: 'display' | 'browser', detail: string): void => {
    if (closing) return;
    capabilities.miss(name, detail);
    failed.resolve(detail);
  };
  const watchDisplay = async ({ ready, ended }: Display): Promise<void> => {
    await ready;
    capabilities.have('display');
    const exit = await ended;
    throw new Error(`the display ended with ${toExitWords(exit)}`);
  };
  const watchPaint = async ({ painted }: Browser): Promise<void> => {
    const withinMs = PAINT_WITHIN_MS * pace;
    const late = setTimeout(() => {
      if (!capabilities.has('browser')) lose('browser', `the browser painted nothing within ${withinMs} ms`);
    }, withinMs);
    releaser.defer('paint timer', () => clearTimeout(late));
    await painted;
    capabilities.have('browser');
  };

  mkdirSync(dir, { mode: 0o700 });
  const display = startDisplay({ dir, rfbSocket, env, releaser, pace, log });
  watchDisplay(display).catch((error: Error) => lose('display', error.message));
  const browser = startBrowser({
    program: chromium,
    dir,
    env: { ...env, ...display.env },
    screen: display.listening,
    releaser,
    pace,
    log,
    onFailed: (detail) => lose('browser', detail),
  });
  browser.then(watchPaint).catch((error: Error) => lose('browser', error.message));

  return {
    displayEnv: display.env,
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
