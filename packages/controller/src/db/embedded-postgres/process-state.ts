/** What a process id stands for now: by /proc on Linux, by `ps` elsewhere. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';

/** `zombie`: it has ended, and its parent has not asked how; it still has its id, and PostgreSQL takes it for alive. */
export type ProcessState = 'missing' | 'zombie' | 'postgres' | 'other';

const run = promisify(execFile);

function toState(letter: string, command: string): ProcessState {
  if (letter.startsWith('Z') || letter.startsWith('X')) return 'zombie';
  return basename(command) === 'postgres' ? 'postgres' : 'other';
}

/** `pid (command) S …`; the command may hold blanks and brackets. */
async function readProc(pid: number): Promise<ProcessState> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8');
    const end = line.lastIndexOf(')');
    return toState(line.slice(end + 2), line.slice(line.indexOf('(') + 1, end));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return 'missing';
    throw error;
  }
}

/** For systems without /proc. */
export async function readPs(pid: number): Promise<ProcessState> {
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  // `ps` exits with 1 when there is no such process.
  const found = await run('ps', ['-o', 'state=,comm=', '-p', String(pid)], { env }).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 1) throw error;
    return null;
  });
  const [letter = '', ...command] = found?.stdout.trim().split(/\s+/) ?? [];
  return letter === '' ? 'missing' : toState(letter, command.join(' '));
}

export function readProcessState(pid: number): Promise<ProcessState> {
  return process.platform === 'linux' ? readProc(pid) : readPs(pid);
}
