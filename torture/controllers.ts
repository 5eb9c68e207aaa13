/**
 * One built controller of a run, kept running: started again whenever it is not, with what ended it in the journal. Its host cannot be
 * reached from the moment it is killed, frozen or told to stop until it says that it serves, or goes on.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, type Client } from '@vestibule/protocol/client';
import { nowMs, type FaultKind, type Journal } from './journal.ts';

const START_AGAIN_MS = 200;
const REQUEST_MS = 8_000;
const STOP_MS = 30_000;
/** Includes the longest time it is kept away on purpose. */
const UP_MS = 60_000;

export type ControllerOptions = {
  name: string;
  entry: string;
  dataDir: string;
  env: Readonly<Record<string, string>>;
  token: string;
  logFile: string;
  journal: Journal;
  /** Its VMs live in it and end with it, as those of the runtime `fake`. */
  holdsVms: boolean;
};

export class Controller {
  readonly name: string;
  readonly dataDir: string;
  readonly #options: ControllerOptions;
  #child: ChildProcess | null = null;
  #origin: string | null = null;
  #client: Client | null = null;
  #keeping: Promise<void> | null = null;
  #stopping = false;
  /** It ended because of us. */
  #isWanted = false;
  #frozen = false;
  #pauseMs = 0;
  #endFaults: (() => void)[] = [];
  #crashes = 0;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.name = options.name;
    this.dataDir = options.dataDir;
  }

  /** Ended while it served, and not by our hand. */
  get crashes(): number {
    return this.#crashes;
  }
  /** Null while it does not serve. */
  get origin(): string | null {
    return this.#origin;
  }
  get client(): Client | null {
    return this.#client;
  }
  /** It serves, and nothing is being done to it. */
  get isWell(): boolean {
    return this.#origin !== null && !this.#frozen && this.#endFaults.length === 0;
  }
  /** Known once it served. */
  get hostId(): string | null {
    const file = join(this.dataDir, 'installation-id');
    return existsSync(file) ? `host_${readFileSync(file, 'utf8').trim()}` : null;
  }

  /** Resolves when it serves for the first time. */
  async start(): Promise<void> {
    this.#keeping ??= this.#keep();
    await this.up();
  }

  /** Rejects when it does not come up. */
  async up(): Promise<void> {
    for (const until = nowMs() + UP_MS; this.#origin === null; await delay(20))
      if (nowMs() > until) throw new Error(`controller ${this.name} does not come up; see ${this.#options.logFile}`);
  }

  /** kill -9. It stays away for at least `pauseMs`. */
  kill(pauseMs: number): boolean {
    return this.#end('controller_killed', 'SIGKILL', pauseMs);
  }

  /** An orderly stop, and a start. */
  restart(): boolean {
    return this.#end('controller_restarted', 'SIGTERM', 0);
  }

  /** False when it does not serve. */
  async freeze(forMs: number): Promise<boolean> {
    const child = this.#child;
    if (!this.isWell || child === null) return false;
    const end = this.#begin('controller_frozen');
    this.#frozen = true;
    child.kill('SIGSTOP');
    await delay(forMs);
    child.kill('SIGCONT');
    this.#frozen = false;
    end();
    return true;
  }

  /** For good. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#isWanted = true;
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS);
    this.#child?.kill('SIGCONT');
    this.#child?.kill('SIGTERM');
    await this.#keeping;
    clearTimeout(late);
  }

  #begin(kind: FaultKind): () => void {
    const { hostId } = this;
    return this.#options.journal.begin(kind, hostId === null ? 'nothing' : { hostId }, this.name);
  }

  #endVms(kind: FaultKind): void {
    const { hostId } = this;
    const { holdsVms, journal } = this.#options;
    if (holdsVms && hostId !== null) journal.begin(kind, { vmsOf: hostId }, 'its VMs');
  }

  #end(kind: FaultKind, signal: NodeJS.Signals, pauseMs: number): boolean {
    if (!this.isWell || this.#child === null) return false;
    this.#endFaults.push(this.#begin(kind));
    this.#endVms(kind);
    this.#isWanted = true;
    this.#pauseMs = pauseMs;
    this.#child.kill(signal);
    return true;
  }

  async #keep(): Promise<void> {
    while (!this.#stopping) {
      await this.#runOnce();
      if (this.#stopping) return;
      await delay(this.#pauseMs === 0 ? START_AGAIN_MS : this.#pauseMs);
      this.#pauseMs = 0;
    }
  }

  /** From its start to its end. */
  #runOnce(): Promise<void> {
    const { entry, env, logFile, dataDir } = this.#options;
    const child = spawn(process.execPath, ['--enable-source-maps', entry, '--json'], {
      env: { PATH: process.env['PATH'], ...env, VESTIBULE_PORT: '0', VESTIBULE_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#isWanted = this.#stopping;
    const keep = (text: string): void => appendFileSync(logFile, text);
    child.stderr.on('data', (chunk: Buffer) => keep(chunk.toString()));
    createInterface({ input: child.stdout }).on('line', (line) => {
      keep(`${line}\n`);
      if (line.startsWith('{"ready":true')) this.#onReady((JSON.parse(line) as { origin: string }).origin);
    });
    if (this.#stopping) child.kill('SIGTERM');
    return new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', (code, signal) => {
        this.#onExit(signal ?? `code ${code}`);
        resolve();
      });
    });
  }

  #onReady(origin: string): void {
    this.#origin = origin;
    this.#client = createClient({
      baseUrl: origin,
      headers: { authorization: `Bearer ${this.#options.token}` },
      fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_MS) }),
    });
    for (const end of this.#endFaults.splice(0)) end();
  }

  #onExit(how: string): void {
    if (this.#origin !== null && !this.#isWanted) {
      this.#crashes += 1;
      this.#endFaults.push(this.#begin('controller_crashed'));
      this.#endVms('controller_crashed');
      process.stderr.write(`controller ${this.name} ended by itself with ${how}\n`);
    }
    this.#child = null;
    this.#origin = null;
    this.#client = null;
  }
}
