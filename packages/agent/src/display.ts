/**
 * The VM's screen: Xtigervnc on a unix socket (no TCP port, no abstract socket, a cookie) with openbox, which makes the browser follow the
 * size of the live view. X listens 40 ms before it serves; programs are started then, to be as far when it does.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { startChild, toExitWords, type Child, type ChildExit } from './child.ts';
import { createDeferred } from './deferred.ts';
import type { Log } from './log.ts';
import { OPENBOX_CONFIG } from './openbox-config.ts';
import type { Releaser } from './releaser.ts';

export const DISPLAY_PROGRAM = '/usr/bin/Xtigervnc';
export const WINDOW_MANAGER_PROGRAM = '/usr/bin/openbox';
const START_WITHIN_MS = 20_000;
const LOOK_AGAIN_MS = 2;
/**
 * The same in every VM, whose /tmp is its own. Not a number in common use: programs try a display's abstract socket before its file, and
 * where VMs share the machine's network, they would find the display of the person who works there.
 */
const DISPLAY_NUMBER = 7080;

export type Display = {
  /** `DISPLAY` and `XAUTHORITY` for the programs that draw on it. */
  env: { DISPLAY: string; XAUTHORITY: string };
  /** Programs may be started: what they ask before the display is ready, it keeps until it is. Rejects with words when it cannot start. */
  listening: Promise<void>;
  /** Viewers are served. Rejects with words when it cannot start. */
  ready: Promise<void>;
  /** Resolves when the display ends, wanted or not. */
  ended: Promise<ChildExit>;
};

export type DisplayOptions = {
  /** A private folder of the display's own. */
  dir: string;
  rfbSocket: string;
  env: Readonly<Record<string, string>>;
  releaser: Releaser;
  /** See `AgentConfig.pace`. */
  pace: number;
  log: Log;
};

/** Has started X when it returns. */
export function startDisplay({ dir, rfbSocket, env, releaser, pace, log }: DisplayOptions): Display {
  const authority = join(dir, 'Xauthority');
  writeFileSync(authority, toAuthority(randomBytes(16)), { mode: 0o600 });
  rmSync(rfbSocket, { force: true });
  const name = `:${DISPLAY_NUMBER}`;
  const displayEnv = { DISPLAY: name, XAUTHORITY: authority };
  const server = startChild(DISPLAY_PROGRAM, [name, ...toDisplayArguments(authority, rfbSocket)], {
    env,
    cwd: dir,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  releaser.defer('display', () => server.stop());

  const start = watchStart(server, START_WITHIN_MS * pace);
  const listening = start.unlessFailed(async () => {
    await start.accepts(`/tmp/.X11-unix/X${DISPLAY_NUMBER}`);
    startWindowManager({ dir, env: { ...env, ...displayEnv }, releaser, log });
  });
  const ready = start.unlessFailed(async () => {
    // X names its display once it serves.
    await once(server.process.stdio[3] as Readable, 'data');
    await start.accepts(rfbSocket);
    start.succeed();
  });
  return { env: displayEnv, listening, ready, ended: server.exited };
}

/** Ends every wait for the server, with words, when it ends or is late. */
function watchStart({ exited }: Child, withinMs: number) {
  const failed = createDeferred<string>();
  let isOver = false;
  const fail = (why: string): void => {
    isOver = true;
    failed.resolve(`Xtigervnc ${why}`);
  };
  const late = setTimeout(() => fail(`was not ready within ${withinMs} ms`), withinMs);
  const succeed = (): void => clearTimeout(late);
  exited.then(
    (exit) => fail(`ended with ${toExitWords(exit)}`),
    (error: Error) => fail(`did not start: ${error.message}`),
  );
  void exited.finally(succeed).catch(() => undefined);
  return {
    succeed,
    unlessFailed(work: () => Promise<void>): Promise<void> {
      const failure = failed.promise.then((why) => Promise.reject(new Error(why)));
      const result = Promise.race([work(), failure]);
      // Each is looked at by whoever needs it, or by nobody.
      result.catch(() => undefined);
      return result;
    },
    async accepts(path: string): Promise<void> {
      while (!(await canConnect(path))) {
        if (isOver) throw new Error('Xtigervnc is gone');
        await delay(LOOK_AGAIN_MS);
      }
    },
  };
}

type WindowManagerOptions = Omit<DisplayOptions, 'rfbSocket' | 'pace'>;

function startWindowManager({ dir, env, releaser, log }: WindowManagerOptions): void {
  const config = join(dir, 'openbox.xml');
  writeFileSync(config, OPENBOX_CONFIG, { mode: 0o600 });
  const manager = startChild(WINDOW_MANAGER_PROGRAM, ['--sm-disable', '--config-file', config], {
    env,
    cwd: dir,
    stdio: 'ignore',
  });
  releaser.defer('window manager', () => manager.stop());
  manager.exited.then(
    (exit) => log('window manager ended', { exit: toExitWords(exit) }),
    (error: Error) => log('window manager did not start', { error: error.message }),
  );
}

/**
 * The clipboard goes one way, into the VM: with the defaults a paste that meets a copy inside the VM stops Chromium for good, and a
 * sign-in has nothing to copy out.
 */
export function toDisplayArguments(authority: string, rfbSocket: string): string[] {
  const screen = ['-displayfd', '3', '-geometry', '1280x800', '-depth', '24', '-dpi', '96'];
  const viewers = ['-rfbunixpath', rfbSocket, '-rfbunixmode', '384', '-rfbport', '-1', '-SecurityTypes', 'None'];
  const programs = ['-nolisten', 'tcp', '-nolisten', 'local', '-auth', authority];
  const clipboard = ['-SendCutText=0', '-SendPrimary=0', '-SetPrimary=0'];
  return [...screen, ...viewers, ...programs, ...clipboard, '-AlwaysShared'];
}

/** An Xauthority file with one cookie that is good for every display of this machine (Xauth(3): family 0xffff). */
export function toAuthority(cookie: Buffer): Buffer {
  const field = (content: Buffer): Buffer => Buffer.concat([toUint16(content.length), content]);
  const wildcard = toUint16(0xffff);
  const [address, number] = [Buffer.alloc(0), Buffer.alloc(0)];
  return Buffer.concat([
    wildcard,
    field(address),
    field(number),
    field(Buffer.from('MIT-MAGIC-COOKIE-1')),
    field(cookie),
  ]);
}

function toUint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
