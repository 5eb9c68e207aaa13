/**
 * The VM's screen: Xtigervnc on a unix socket (no TCP port, no abstract socket, a cookie) with openbox, which makes the browser follow the
 * size of the live view.
 */
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { startChild, toExitWords, type ChildExit } from './child.ts';
import type { Log } from './log.ts';
import { OPENBOX_CONFIG } from './openbox-config.ts';
import type { Releaser } from './releaser.ts';

export const DISPLAY_PROGRAM = '/usr/bin/Xtigervnc';
const WINDOW_MANAGER_PROGRAM = '/usr/bin/openbox';
const START_WITHIN_MS = 20_000;

export type Display = {
  /** `DISPLAY` and `XAUTHORITY` for the programs that draw on it. */
  env: { DISPLAY: string; XAUTHORITY: string };
  /** Resolves when the display ends, wanted or not. */
  ended: Promise<ChildExit>;
};

export type DisplayOptions = {
  /** A private folder of the display's own. */
  dir: string;
  rfbSocket: string;
  env: Readonly<Record<string, string>>;
  releaser: Releaser;
  log: Log;
};

/** Resolves when the display takes programs and viewers. Rejects with words when it cannot start. */
export async function startDisplay({ dir, rfbSocket, env, releaser, log }: DisplayOptions): Promise<Display> {
  const authority = join(dir, 'Xauthority');
  await writeFile(authority, toAuthority(randomBytes(16)), { mode: 0o600 });
  const openboxConfig = join(dir, 'openbox.xml');
  await writeFile(openboxConfig, OPENBOX_CONFIG, { mode: 0o600 });
  await rm(rfbSocket, { force: true });

  const server = startChild(DISPLAY_PROGRAM, toArguments(authority, rfbSocket), {
    env,
    cwd: dir,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  releaser.defer('display', () => server.stop());
  const gone = server.exited.then((exit): never => {
    throw new Error(`Xtigervnc ended with ${toExitWords(exit)}`);
  });
  const number = await within(
    START_WITHIN_MS,
    Promise.race([readDisplayNumber(server.process.stdio[3] as Readable), gone]),
  );
  gone.catch(() => undefined);
  const displayEnv = { DISPLAY: `:${number}`, XAUTHORITY: authority };

  const manager = startChild(WINDOW_MANAGER_PROGRAM, ['--sm-disable', '--config-file', openboxConfig], {
    env: { ...env, ...displayEnv },
    cwd: dir,
    stdio: 'ignore',
  });
  releaser.defer('window manager', () => manager.stop());
  manager.exited.then(
    (exit) => log('window manager ended', { exit: toExitWords(exit) }),
    (error: Error) => log('window manager did not start', { error: error.message }),
  );
  await assertAccepts(rfbSocket);
  return { env: displayEnv, ended: server.exited };
}

/**
 * The clipboard goes one way, into the VM: with the defaults a paste that meets a copy inside the VM stops Chromium for good, and a
 * sign-in has nothing to copy out.
 */
function toArguments(authority: string, rfbSocket: string): string[] {
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

async function readDisplayNumber(pipe: Readable): Promise<number> {
  let text = '';
  for await (const chunk of pipe) {
    text += String(chunk);
    if (text.includes('\n')) return Number.parseInt(text, 10);
  }
  throw new Error('Xtigervnc named no display');
}

async function assertAccepts(path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Xtigervnc was not ready within ${timeoutMs} ms`)), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
