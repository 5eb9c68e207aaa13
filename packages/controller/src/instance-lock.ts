/**
 * One controller for each data folder. The lock is a file that names its holder by pid and start time, so that a killed holder is
 * recognised and a reused pid is not mistaken for it.
 */
import { linkSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export type Holder = { pid: number; startTime: string; state: 'running' | 'stopping'; url: string };
export type LockResult =
  | { kind: 'acquired'; tookOver: boolean; lock: InstanceLock }
  /** Another controller runs on this folder. */
  | { kind: 'running'; holder: Holder };

const LOOK_AGAIN_MS = 50;
const STOPPING_PATIENCE_MS = 30_000;

/** When the process began, in the kernel's own ticks; empty where it cannot be known, `null` when there is no such process. */
function readStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? '');
  } catch {
    if (process.platform === 'linux') return null;
  }
  try {
    process.kill(pid, 0);
    return '';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? '' : null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function toHolder(text: string | null): Holder | null {
  try {
    const holder = JSON.parse(text ?? '') as Holder;
    return Number.isInteger(holder.pid) && holder.pid > 0 ? holder : null;
  } catch {
    return null;
  }
}

const readHolder = (path: string): Holder | null => toHolder(readText(path));

function isAlive(holder: Holder | null): holder is Holder {
  return holder !== null && readStartTime(holder.pid) === holder.startTime;
}

/** False when the file exists. It is never seen half written. */
function createWhole(path: string, holder: Holder): boolean {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, JSON.stringify(holder), { mode: 0o600 });
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Removes exactly the lock that was looked at, one starter at a time: by now the file may be another starter's own. */
function removeStale(path: string, stale: string | null, own: Holder): void {
  const turn = `${path}.takeover`;
  if (!createWhole(turn, own)) {
    if (!isAlive(readHolder(turn))) rmSync(turn, { force: true });
    return;
  }
  try {
    if (readText(path) === stale) rmSync(path, { force: true });
  } finally {
    rmSync(turn, { force: true });
  }
}

/** What starters left that were killed half way: drafts that carry the pid of nobody, and the turn of one who is gone. */
function removeRemains(path: string): void {
  const folder = dirname(path);
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith(`${basename(path)}.`))) {
    const pid = Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
    const isLeft = pid > 0 ? readStartTime(pid) === null : !isAlive(readHolder(join(folder, name)));
    if (isLeft) rmSync(join(folder, name), { force: true });
  }
}

export class InstanceLock {
  readonly #path: string;
  #holder: Holder;

  constructor(path: string, holder: Holder) {
    this.#path = path;
    this.#holder = holder;
  }

  /** Tells later starts where this controller serves, or that it is about to end. */
  update(change: Partial<Pick<Holder, 'state' | 'url'>>): void {
    this.#holder = { ...this.#holder, ...change };
    const next = `${this.#path}.${process.pid}`;
    try {
      writeFileSync(next, JSON.stringify(this.#holder), { mode: 0o600 });
      renameSync(next, this.#path);
    } catch (error) {
      rmSync(next, { force: true });
      throw error;
    }
  }

  release(): void {
    if (readHolder(this.#path)?.pid === this.#holder.pid) rmSync(this.#path, { force: true });
  }
}

/**
 * Waits for a holder that is stopping (calling `onWait` once), takes over from one that was killed, and yields to one that runs.
 */
export async function acquireInstanceLock(dir: string, onWait: () => void): Promise<LockResult> {
  const path = join(dir, 'controller.lock');
  const own: Holder = { pid: process.pid, startTime: readStartTime(process.pid) ?? '', state: 'running', url: '' };
  const until = performance.now() + STOPPING_PATIENCE_MS;
  let tookOver = false;
  let waited = false;
  for (;;) {
    if (createWhole(path, own)) {
      removeRemains(path);
      return { kind: 'acquired', tookOver, lock: new InstanceLock(path, own) };
    }
    const text = readText(path);
    const holder = toHolder(text);
    if (!isAlive(holder)) {
      tookOver = text !== null;
      removeStale(path, text, own);
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    if (holder.state === 'running' || performance.now() > until) return { kind: 'running', holder };
    if (!waited) onWait();
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
