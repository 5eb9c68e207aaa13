/**
 * The person's browser: Chromium, started on a waiting page before anybody needs it, then told the URL by starting it a second time on
 * the same profile, as a desktop would. Warm, that paints the page about 250 ms sooner than starting Chromium then. A browser that
 * ends on its own (closed by the person, crashed) is started again a few times.
 */
import { watch } from 'node:fs';
import { lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild, toExitWords, type Child } from './child.ts';
import { toChromiumArguments } from './chromium-arguments.ts';
import type { Log } from './log.ts';
import type { Releaser } from './releaser.ts';
import { createWaitingPage } from './waiting-page.ts';

export type Browser = {
  /** Resolves when it has painted the waiting page in its window; never when the URL came first. */
  painted: Promise<void>;
  /** Resolves when the browser has taken the URL; it then shows it in its only tab. Rejects with words when it does not. */
  open: (url: string) => Promise<void>;
};

export type BrowserOptions = {
  /** Chromium. */
  program: string;
  /** A private folder of the browser's own; the profile lives in it. */
  dir: string;
  env: Readonly<Record<string, string>>;
  releaser: Releaser;
  log: Log;
  /** Called at most once: the browser cannot be kept running. */
  onFailed: (detail: string) => void;
};

const MAX_RESTARTS = 3;
/** Includes the start of a browser that was only just started; the hand-over itself takes 50 ms. */
const TAKE_WITHIN_MS = 20_000;

export async function startBrowser({ program, dir, env, releaser, log, onFailed }: BrowserOptions): Promise<Browser> {
  const profileDir = join(dir, 'profile');
  await mkdir(profileDir, { mode: 0o700 });
  const waitingPage = await createWaitingPage();
  releaser.defer('waiting page', waitingPage.close);
  let target = waitingPage.url;
  /** What the running browser was started with. */
  let startedWith = target;
  let main: Child | null = null;
  let messenger: Child | null = null;
  let restarts = 0;
  let stopping = false;

  const launch = (): Child =>
    startChild(program, toChromiumArguments(profileDir, target), {
      env: { ...env, HOME: dir },
      cwd: dir,
      stdio: 'ignore',
    });
  const start = (): void => {
    startedWith = target;
    main = launch();
    main.exited.then(
      (exit) => void onEnded(toExitWords(exit)),
      (error: Error) => fail(error.message),
    );
  };
  const fail = (detail: string): void => {
    if (stopping) return;
    stopping = true;
    onFailed(detail);
  };
  async function onEnded(exit: string): Promise<void> {
    main = null;
    if (stopping) return;
    log('browser ended', { exit, restarts });
    if (restarts >= MAX_RESTARTS) {
      fail(`Chromium ended ${restarts + 1} times, last with ${exit}`);
      return;
    }
    restarts += 1;
    await messenger?.stop(0);
    await rm(join(profileDir, 'SingletonSocket'), { force: true });
    if (!stopping) start();
  }

  start();
  releaser.defer('browser', async () => {
    stopping = true;
    await Promise.all([main?.stop(), messenger?.stop(0)]);
  });
  return {
    painted: waitingPage.painted,
    async open(url) {
      if (stopping) throw new Error('the browser is closed');
      target = url;
      const signal = AbortSignal.timeout(TAKE_WITHIN_MS);
      await waitForSingleton(profileDir, signal);
      const child = launch();
      messenger = child;
      signal.addEventListener('abort', () => void child.stop(0));
      const exit = await child.exited;
      messenger = null;
      // A browser that ended meanwhile was started again with this URL.
      if (exit.exitCode !== 0 && startedWith !== url) throw new Error(`Chromium took no URL: ${toExitWords(exit)}`);
    },
  };
}

/** Chromium's mark that it listens for second starts; what they say before it is up, it keeps until it is. */
async function waitForSingleton(profileDir: string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      lstat(join(profileDir, 'SingletonSocket')).then(finish, () => undefined);
    };
    const watcher = watch(profileDir, look);
    const finish = (): void => {
      watcher.close();
      resolve();
    };
    signal.addEventListener('abort', () => {
      watcher.close();
      reject(new Error(`Chromium was not up within ${TAKE_WITHIN_MS} ms`));
    });
    look();
  });
}
