/**
 * Where a built tree is tried: read-only as `/`, without a network, with the processes as the VM's one person, as in a VM. Nothing of it
 * outlives this process.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { SYSTEM_PATH } from '../system/run-command.ts';
import { GUEST, toGuestEnvironment } from '../vm/guest.ts';

export const CHROMIUM = '/usr/lib/chromium/chromium';

/** `runDir`: a folder of the person's, seen as `GUEST.runDir`. */
export type ImageRoom = { tree: string; runDir: string };

const EMPTY = ['/tmp', '/run', '/dev/shm', GUEST.home].flatMap((path) => ['--perms', '1777', '--tmpfs', path]);
/** The one user of a VM, without any right, by the image's own program. */
const AS_PERSON = [
  ...['/usr/bin/setpriv', `--reuid=${GUEST.uid}`, `--regid=${GUEST.uid}`, '--clear-groups', '--no-new-privs'],
  ...['--inh-caps=-all', '--bounding-set=-all', '--'],
];

export function startInRoom({ tree, runDir }: ImageRoom, command: readonly string[]): ChildProcess {
  const environment = toGuestEnvironment({
    vmId: 'vm_check',
    chromiumPath: CHROMIUM,
    hasAuthorities: false,
    proxy: null,
    pace: 1,
  });
  const [program = '', ...args] = [
    ...[
      'bwrap',
      '--die-with-parent',
      '--new-session',
      '--unshare-pid',
      '--unshare-ipc',
      '--unshare-uts',
      '--unshare-net',
    ],
    ...['--ro-bind', tree, '/', '--proc', '/proc', '--dev', '/dev', ...EMPTY, '--bind', runDir, GUEST.runDir],
    ...['--clearenv', ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value])],
    ...['--hostname', 'vestibule', '--chdir', GUEST.home, '--', ...AS_PERSON, ...command],
  ];
  return spawn(program, args, { env: { PATH: SYSTEM_PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
}

export type Said = { exitCode: number | null; output: string };

const TIME_LIMIT_MS = 60_000;
const MOST_CHARS = 64 * 1024;

/** Rejects only when the room cannot be made. Both outputs, one after the other. */
export function runInRoom(room: ImageRoom, command: readonly string[]): Promise<Said> {
  const child = startInRoom(room, command);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]
      ?.setEncoding('utf8')
      .on('data', (text: string) => (said[name] = (said[name] + text).slice(-MOST_CHARS)));
  const timer = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT_MS);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, output: `${said.stdout}\n${said.stderr}`.trim() });
    });
  });
}
