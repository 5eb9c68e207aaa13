import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireInstanceLock, type Holder, type InstanceLock } from './instance-lock.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vestibule-lock-'));
  path = join(dir, 'controller.lock');
});
afterEach(() => rmSync(dir, { recursive: true }));

const TSX = import.meta.resolve('tsx');
const LOCK = new URL('instance-lock.ts', import.meta.url).href;

/** Starts a process that may write no byte to any file, as on a full disk, and resolves with the error that its attempt ends with. */
async function acquireOnFullDisk(): Promise<string> {
  const program = `import { acquireInstanceLock } from ${JSON.stringify(LOCK)};
    acquireInstanceLock(${JSON.stringify(dir)}, () => {}).then(() => console.log('acquired'), (error) => console.log(error.code));`;
  const command = ['--fsize=0', process.execPath, '--import', TSX, '--input-type=module', '-e', program];
  const child = spawn('prlimit', command, { env: { ...process.env, TSX_DISABLE_CACHE: '1' } });
  const said = once(child.stdout, 'data') as Promise<[Buffer]>;
  await once(child, 'exit');
  return (await said)[0].toString().trim();
}

const nobody = (): void => undefined;
const readLock = (): Holder => JSON.parse(readFileSync(path, 'utf8')) as Holder;

async function acquire(): Promise<{ lock: InstanceLock; tookOver: boolean }> {
  const result = await acquireInstanceLock(dir, nobody);
  if (result.kind !== 'acquired') throw new Error(`held by ${result.holder.pid}`);
  return result;
}

describe('the instance lock', () => {
  it('is acquired on an unused folder, with nothing left beside it', async () => {
    expect((await acquire()).tookOver).toBe(false);
    expect(readLock().pid).toBe(process.pid);
    expect(readdirSync(dir)).toEqual(['controller.lock']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('yields to a controller that runs, and says where it serves', async () => {
    const { lock } = await acquire();
    lock.update({ url: 'http://127.0.0.1:7080' });
    const second = await acquireInstanceLock(dir, nobody);
    expect(second).toMatchObject({ kind: 'running', holder: { pid: process.pid, url: 'http://127.0.0.1:7080' } });
  });

  it('leaves nothing beside it when the disk is full', async () => {
    expect(await acquireOnFullDisk()).toBe('EFBIG');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('clears away what starters left that were killed half way, and nothing of those that live', async () => {
    const drafts = ['controller.lock.4194305', 'controller.lock.takeover.4194305', 'controller.lock.takeover'];
    for (const draft of drafts) writeFileSync(join(dir, draft), JSON.stringify({ pid: 4_194_305, startTime: '1' }));
    writeFileSync(join(dir, `controller.lock.${process.ppid}`), '');
    await acquire();
    expect(readdirSync(dir).toSorted()).toEqual(['controller.lock', `controller.lock.${process.ppid}`]);
  });

  it('is free again after its release', async () => {
    (await acquire()).lock.release();
    expect(existsSync(path)).toBe(false);
    expect((await acquire()).tookOver).toBe(false);
  });

  it('is taken over from a controller that was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const startTime = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';
    writeFileSync(path, JSON.stringify({ pid: child.pid, startTime, state: 'running', url: '' }));
    expect((await acquireInstanceLock(dir, nobody)).kind).toBe('running');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect((await acquire()).tookOver).toBe(true);
  });

  it('is taken over from a controller whose pid now belongs to another process', async () => {
    await acquire();
    writeFileSync(path, JSON.stringify({ ...readLock(), startTime: '1' }));
    expect((await acquire()).tookOver).toBe(true);
  });

  it.each(['', 'no json', '{"pid":0}', '{"pid":"1"}'])('is taken over when its file names nobody: %j', async (text) => {
    writeFileSync(path, text);
    expect((await acquire()).tookOver).toBe(true);
  });

  it('is waited for while its holder is stopping, saying so once', async () => {
    const { lock } = await acquire();
    lock.update({ state: 'stopping' });
    let told = 0;
    let wasTold = nobody;
    const waiting = new Promise<void>((resolve) => (wasTold = resolve));
    const second = acquireInstanceLock(dir, () => {
      told += 1;
      wasTold();
    });
    await waiting;
    lock.release();
    expect(await second).toMatchObject({ kind: 'acquired', tookOver: false });
    expect(told).toBe(1);
  });

  it('is not removed by one who no longer holds it', async () => {
    const { lock } = await acquire();
    writeFileSync(path, JSON.stringify({ ...readLock(), pid: 1 }));
    lock.release();
    expect(readLock().pid).toBe(1);
  });
});
