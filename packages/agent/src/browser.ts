/**
 * The person's browser: Chromium, started on a waiting page before anybody needs it, which leads to the sign-in page once that is known;
 * it is often known before Chromium asks for its first page. A browser that ends on its own (closed by the person, crashed) is started
 * again a few times, and shows the sign-in page again.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild, toExitWords, type Child } from './child.ts';
import { toChromiumArguments } from './chromium-arguments.ts';
import type { Log } from './log.ts';
import type { Releaser } from './releaser.ts';
import { createWaitingPage } from './waiting-page.ts';

export type Browser = {
  /** Resolves when it has painted the waiting page in its window; never when the URL came first. */
  painted: Promise<void>;
  /** Resolves when the browser was sent to the URL. Rejects with words when it does not ask for it. */
  open: (url: string) => Promise<void>;
};

export type BrowserOptions = {
  /** Chromium. */
  program: string;
  /** A private folder of the browser's own; the profile lives in it. */
  dir: string;
  env: Readonly<Record<string, string>>;
  /** Resolves when there is a screen to start it on; when it rejects, so does the start. */
  screen: Promise<void>;
  releaser: Releaser;
  /** See `AgentConfig.pace`. */
  pace: number;
  log: Log;
  /** Called at most once: the browser cannot be kept running. */
  onFailed: (detail: string) => void;
};

const MAX_RESTARTS = 3;
/** Includes the start of a browser that was only just started. */
const TAKE_WITHIN_MS = 20_000;

/** Resolves when the browser is being started. */
export async function startBrowser(options: BrowserOptions): Promise<Browser> {
  const { program, dir, env, screen, releaser, pace, log, onFailed } = options;
  const profileDir = join(dir, 'profile');
  await mkdir(profileDir, { mode: 0o700 });
  const waitingPage = await createWaitingPage();
  releaser.defer('waiting page', waitingPage.close);
  await screen;
  let main: Child | null = null;
  let messenger: Child | null = null;
  let restarts = 0;
  let stopping = false;

  const launch = (): Child =>
    startChild(program, toChromiumArguments(profileDir, waitingPage.url), {
      env: { ...env, HOME: dir },
      cwd: dir,
      stdio: 'ignore',
    });
  const start = (): void => {
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

  /** The person has gone elsewhere in the window: a second start has the running browser open another tab. */
  const bringBack = (): void => {
    messenger = launch();
    messenger.exited.then(
      (exit) => log('browser was shown the sign-in page', { exit: toExitWords(exit) }),
      (error: Error) => log('browser could not be shown the sign-in page', { error: error.message }),
    );
  };

  start();
  releaser.defer('browser', async () => {
    stopping = true;
    await Promise.all([main?.stop(), messenger?.stop(0)]);
  });
  return {
    painted: waitingPage.painted,
    async open(url) {
      if (stopping) throw new Error('the browser is closed');
      const taken = waitingPage.leadTo(url);
      if (waitingPage.wasLeft()) bringBack();
      const withinMs = TAKE_WITHIN_MS * pace;
      let late: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        const fault = new Error(`Chromium asked for no page within ${withinMs} ms`);
        late = setTimeout(() => reject(fault), withinMs);
      });
      await Promise.race([taken, tooLate]).finally(() => clearTimeout(late));
    },
  };
}
