/**
 * A whole Vestibule for one trial: its own temporary data folder, embedded database and port, and one definition beside the shipped ones.
 * Nothing of it is left afterwards, and it ends by itself when this process does.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Secret } from '@vestibule/protocol/secret';
import { CliError } from './cli-error.ts';
import { findProductFolder } from './product-folder.ts';
import { runQuietly } from './run-program.ts';
import type { ServerAccess } from './server-access.ts';

const STOP_MS = 20_000;
const KEPT_LINES = 30;

export type ThrowawayServer = ServerAccess & {
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
};

export type ThrowawayOptions = {
  /** Path of the definition. */
  file: string;
  env: NodeJS.ProcessEnv;
  runtime: string;
  say: (words: string) => void;
};

/** Throws `CliError` with what the server said when it does not start. */
export async function startThrowawayServer({ file, env, runtime, say }: ThrowawayOptions): Promise<ThrowawayServer> {
  const product = findProductFolder();
  const built = await runQuietly([product.tsx, product.build], { cwd: product.root, env });
  if (built.code !== 0) throw new CliError('failed', `Vestibule could not be built:\n${built.output}`);
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-try-'));
  // As root, database and browser machines run as other users, who must pass through.
  if (process.getuid?.() === 0) chmodSync(folder, 0o711);
  const dataDir = join(folder, 'data');
  const providersDir = join(folder, 'providers');
  mkdirSync(providersDir);
  copyDefinition(file, providersDir);
  say('Starting a Vestibule of its own for this trial…');
  const child = spawn(process.execPath, ['--enable-source-maps', product.controller, '--json'], {
    cwd: folder,
    env: {
      ...env,
      VESTIBULE_PORT: '0',
      VESTIBULE_DATA_DIR: dataDir,
      VESTIBULE_PROVIDERS_DIR: providersDir,
      VESTIBULE_RUNTIME: runtime,
      VESTIBULE_GRACE_SECONDS: '0',
      VESTIBULE_LOG_LEVEL: 'warn',
    },
    // In a group of its own it does not hear Ctrl-C; it ends when the channel does.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const remove = async (): Promise<void> => {
    await stop(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    const server = await waitForReady(child);
    const token = new Secret(readFileSync(join(dataDir, 'operator-token'), 'utf8').trim());
    return { server, token, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The file and, when its program is bundled, the folder beside it. */
function copyDefinition(file: string, providersDir: string): void {
  const text = readFileSync(file, 'utf8');
  cpSync(file, join(providersDir, /\.ya?ml$/.test(file) ? basename(file) : 'tried.yaml'));
  const folder = /\bkind:\s*['"]?bundled\b/.test(text) ? /\bfolder:\s*['"]?([\w.-]+)/.exec(text)?.[1] : undefined;
  if (folder === undefined || /^\.+$/.test(folder)) return;
  const source = join(dirname(file), folder);
  if (existsSync(source)) cpSync(source, join(providersDir, folder), { recursive: true });
}

function waitForReady(child: ChildProcess): Promise<string> {
  const tail: string[] = [];
  const keep = (line: string): void => {
    tail.push(line);
    if (tail.length > KEPT_LINES) tail.shift();
  };
  return new Promise((resolve, reject) => {
    if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', keep);
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => {
        const origin = toOrigin(line);
        if (origin === null) keep(line);
        else resolve(origin);
      });
    child.once('error', reject);
    child.once('exit', () =>
      reject(new CliError('failed', `The server of the trial did not start:\n${tail.join('\n')}`)),
    );
  });
}

/** Of the line that says that it is ready. */
function toOrigin(line: string): string | null {
  try {
    const said: unknown = JSON.parse(line);
    if (typeof said !== 'object' || said === null || !('ready' in said) || said.ready !== true) return null;
    return 'origin' in said && typeof said.origin === 'string' ? said.origin : null;
  } catch {
    return null;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}
