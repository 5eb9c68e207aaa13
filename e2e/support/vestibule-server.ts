/** A running Vestibule for a test: the built controller as a process of its own, with a data folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { toClusterFolder } from '../../packages/controller/src/db/embedded-postgres/cluster-folder.ts';
import { stopPostmaster } from '../../packages/controller/src/db/embedded-postgres/postmaster.ts';
import { destroyLeftoverMachines } from './leftover-machines.ts';

export const CONTROLLER_ENTRY = fileURLToPath(new URL('../../dist/controller/main.mjs', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

type ReadyLine = { origin: string; signInLink: string; dataDir: string };

export type VestibuleServer = {
  origin: string;
  signInLink: string;
  token: string;
  dataDir: string;
  /** Everything written to standard output and error so far. */
  output(): string;
  pid: number;
  /** Asks it to stop, as Ctrl-C does, and resolves with its exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
  /** Starts it again over the same data folder, and at the same port when nothing stands before it. */
  restart(): Promise<VestibuleServer>;
  /** Stops it and removes its data folder, with whatever of it still runs. */
  remove(): Promise<void>;
};

export type VestibuleOptions = { env?: Record<string, string>; args?: string[]; dataDir?: string };

function readReadyLine(child: ChildProcess, output: () => string): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`Vestibule did not start: ${why}\n${output()}`));
    const timer = setTimeout(() => fail('no answer in time'), START_TIMEOUT_MS);
    child.once('exit', (code) => fail(`exit code ${code}`));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (!line.startsWith('{"ready"')) return;
      clearTimeout(timer);
      resolve(JSON.parse(line) as ReadyLine);
    });
  });
}

/** Ends what outlives a controller, and removes the folder. */
async function clear(dataDir: string, settings?: Record<string, string>): Promise<void> {
  await destroyLeftoverMachines(dataDir, settings);
  await stopPostmaster(toClusterFolder(dataDir));
  rmSync(dataDir, { recursive: true, force: true });
}

/** Resolves when it serves. Uses any free port unless told. */
export async function startVestibule(options: VestibuleOptions = {}): Promise<VestibuleServer> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'vestibule-e2e-'));
  chmodSync(dataDir, 0o711);
  const env = { ...process.env, VESTIBULE_PORT: '0', VESTIBULE_DATA_DIR: dataDir, ...options.env };
  const child = spawn(process.execPath, ['--enable-source-maps', CONTROLLER_ENTRY, '--json', ...(options.args ?? [])], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const output = (): string => chunks.join('');
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const ready = await readReadyLine(child, output).catch(async (error: unknown) => {
    child.kill('SIGKILL');
    await exited;
    if (options.dataDir === undefined) await clear(dataDir, options.env);
    throw error;
  });
  const isProxied = options.env?.['VESTIBULE_PUBLIC_URL'] !== undefined;
  const samePort = isProxied ? {} : { VESTIBULE_PORT: new URL(ready.origin).port };
  const stop = (): Promise<number | null> => {
    child.kill('SIGINT');
    return exited;
  };
  return {
    origin: ready.origin,
    signInLink: ready.signInLink,
    token: new URL(ready.signInLink).hash.replace('#token=', ''),
    dataDir,
    output,
    pid: child.pid!,
    stop,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    restart: () => startVestibule({ ...options, dataDir, env: { ...samePort, ...options.env } }),
    async remove() {
      let hangs = false;
      const late = setTimeout(() => (hangs = child.kill('SIGKILL')), STOP_TIMEOUT_MS);
      await stop();
      clearTimeout(late);
      await clear(dataDir, options.env);
      if (hangs) throw new Error(`Vestibule did not stop within ${STOP_TIMEOUT_MS} ms:\n${output()}`);
    },
  };
}
