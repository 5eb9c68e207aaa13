/**
 * A machine that runs from a copy of a root folder: file system, processes and host name of its own; kernel and network are this machine's,
 * so its loopback is ours. Not a chroot, in which nobody may make user namespaces, but the root of its mount namespace.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../start/run-program.mjs';

export type Account = { uid: number; home: string };
export const ROOT_ACCOUNT: Account = { uid: 0, home: '/root' };

export type FreshMachine = {
  /** Its root folder, seen from here. */
  dir: string;
  /** Starts a program with an environment of its own, pipes for input and output, and the account's home as folder. */
  spawn(account: Account, argv: readonly string[], options?: RunOptions): ChildProcess;
  /** Runs a program to its end and gives its output. Rejects when it fails. */
  run(account: Account, argv: readonly string[], options?: RunOptions): Promise<string>;
  /** Makes an ordinary user whose home others cannot enter. */
  addUser(name: string): Promise<Account>;
  /** Ends all its processes and removes it. */
  remove(): Promise<void>;
};
export type RunOptions = { cwd?: string; env?: Readonly<Record<string, string>> };

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Of our environment: how to reach the registries, no more. */
const PASSED = /^(?:https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS)$/i;

/** Brings up a copy of the folder `pristine`. */
export async function startFreshMachine(pristine: string): Promise<FreshMachine> {
  const parent = mkdtempSync(join(tmpdir(), 'vestibule-fresh-machine-'));
  const dir = join(parent, 'root');
  let holder: Holder | null = null;
  try {
    // Node's own copy knows no ownership.
    await expectSuccess('cp', ['--archive', '--reflink=auto', pristine, dir]);
    cpSync('/etc/resolv.conf', join(dir, 'etc/resolv.conf'), { dereference: true });
    holder = await holdNamespaces(dir);
    const machine = createMachine(parent, dir, holder);
    await openMounts(machine);
    return machine;
  } catch (error) {
    if (holder !== null) await endProcesses(holder);
    rmSync(parent, { recursive: true, force: true });
    throw error;
  }
}

type Holder = { process: ChildProcess; firstPid: number };

/** bubblewrap makes the namespaces, and its first process there takes care of orphans, as an init does. */
async function holdNamespaces(dir: string): Promise<Holder> {
  const argv = [
    ...[
      '--die-with-parent',
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
      '--hostname',
      'fresh',
      '--cap-add',
      'ALL',
    ],
    ...['--dev-bind', dir, '/', '--dev', '/dev', '--proc', '/proc', '--dev-bind', '/sys', '/sys', '--tmpfs', '/run'],
    ...['/tmp', '/dev/shm'].flatMap((path) => ['--perms', '1777', '--tmpfs', path]),
    ...['--json-status-fd', '3', '--', 'sh', '-c', 'echo up; exec sleep infinity'],
  ];
  const holder = spawn('bwrap', argv, { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  const firstLine = (fd: 1 | 3): Promise<string[]> =>
    once(createInterface({ input: holder.stdio[fd] as Readable }), 'line') as Promise<string[]>;
  const [[status = '']] = await Promise.race([
    Promise.all([firstLine(3), firstLine(1)]),
    once(holder, 'exit').then(([code]) => Promise.reject(new Error(`bwrap ended with code ${code}`))),
  ]);
  const { 'child-pid': firstPid } = JSON.parse(status) as { 'child-pid': number };
  return { process: holder, firstPid };
}

function createMachine(parent: string, dir: string, holder: Holder): FreshMachine {
  const passed = Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED.test(name)));

  function toArgv(
    { uid, home }: Account,
    argv: readonly string[],
    { cwd = home, env = {} }: RunOptions = {},
  ): string[] {
    const variables = { PATH, HOME: home, TERM: 'xterm', LANG: 'C.UTF-8', ...passed, ...env };
    return [
      ...[`--target=${holder.firstPid}`, '--mount', '--pid', '--ipc', '--uts', '--root', '--wd', '--'],
      ...['setpriv', `--reuid=${uid}`, `--regid=${uid}`, uid === 0 ? '--clear-groups' : '--init-groups', '--'],
      ...['env', '--ignore-environment', `--chdir=${cwd}`],
      ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ...argv,
    ];
  }

  const machine: FreshMachine = {
    dir,
    spawn: (account, argv, options) => spawn('nsenter', toArgv(account, argv, options), { stdio: 'pipe' }),
    run: (account, argv, options) => expectSuccess('nsenter', toArgv(account, argv, options)),
    async addUser(name) {
      const argv = ['useradd', '--create-home', '--key', 'HOME_MODE=0700', '--shell', '/bin/bash', name];
      await machine.run(ROOT_ACCOUNT, argv);
      const [, , uid = '', , , home = ''] =
        readFileSync(join(dir, 'etc/passwd'), 'utf8')
          .split('\n')
          .map((line) => line.split(':'))
          .find(([user]) => user === name) ?? [];
      return { uid: Number(uid), home };
    },
    async remove() {
      await endProcesses(holder);
      rmSync(parent, { recursive: true, force: true });
    },
  };
  return machine;
}

/** bubblewrap takes set-uid programs away and covers parts of /proc, and a covered /proc denies an ordinary user one of his own. */
async function openMounts(machine: FreshMachine): Promise<void> {
  await machine.run(ROOT_ACCOUNT, ['mount', '-o', 'remount,bind,rw,suid,dev', '/']);
  await machine.run(ROOT_ACCOUNT, ['umount', '--recursive', '/proc']);
  await machine.run(ROOT_ACCOUNT, ['mount', '-t', 'proc', 'proc', '/proc']);
}

async function endProcesses(holder: Holder): Promise<void> {
  const ended = once(holder.process, 'exit');
  process.kill(holder.firstPid, 'SIGKILL');
  await ended;
}

async function expectSuccess(program: string, args: readonly string[]): Promise<string> {
  const { code, tail, stdout } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with code ${code}: ${tail.slice(-8).join('\n')}`);
  return stdout;
}
