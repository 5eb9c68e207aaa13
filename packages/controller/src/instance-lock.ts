/**
 * One controller for each data folder. The lock is a file that names its holder by pid and start time, so that a killed holder is
 * recognised and a reused pid is not mistaken for it.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

function readHolder(path: string): Holder | null {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as Holder;
    return Number.isInteger(holder.pid) && holder.pid > 0 ? holder : null;
  } catch {
    return null;
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
    writeFileSync(next, JSON.stringify(this.#holder), { mode: 0o600 });
    renameSync(next, this.#path);
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
  const draft = `${path}.${process.pid}`;
  const until = performance.now() + STOPPING_PATIENCE_MS;
  let tookOver = false;
  let waited = false;
  for (;;) {
    writeFileSync(draft, JSON.stringify(own), { mode: 0o600 });
    try {
      linkSync(draft, path);
      return { kind: 'acquired', tookOver, lock: new InstanceLock(path, own) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    const holder = readHolder(path);
    if (holder === null || readStartTime(holder.pid) !== holder.startTime) {
      tookOver = true;
      rmSync(path, { force: true });
      continue;
    }
    if (holder.state === 'running' || performance.now() > until) return { kind: 'running', holder };
    if (!waited) onWait();
    waited = true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
