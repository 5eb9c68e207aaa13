/**
 * The double of `jailer`: reads its arguments as strictly, lays out the same jail, joins cgroups and network namespace, and becomes the VM's uid
 * before Firecracker runs. Two things are not as in the real one: the jail is the folder Firecracker's double works in, not its root (Node could
 * not start there), and as Node cannot exec, this process stays Firecracker's parent and, being root, starts the guest for it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SYSTEM_PATH } from '../../system/run-command.ts';
import { ArgumentError, parseArguments, type ArgumentRule, type ParsedArguments } from './arguments.ts';
import { loadDoubleSettings, SETTINGS_FILE, VERSION } from './double-settings.ts';
import { createDoubleKvm } from './double-kvm.ts';
import { joinCgroups } from './jailer-cgroups.ts';

const RULES: Readonly<Record<string, ArgumentRule>> = {
  id: { takesValue: true, isRequired: true },
  'exec-file': { takesValue: true, isRequired: true },
  uid: { takesValue: true, isRequired: true },
  gid: { takesValue: true, isRequired: true },
  'chroot-base-dir': { takesValue: true },
  netns: { takesValue: true },
  daemonize: { takesValue: false },
  'new-pid-ns': { takesValue: false },
  cgroup: { takesValue: true, isRepeatable: true },
  'resource-limit': { takesValue: true, isRepeatable: true },
  'cgroup-version': { takesValue: true },
  'parent-cgroup': { takesValue: true },
  version: { takesValue: false },
};
const FOLDERS = ['', 'dev', 'dev/net', 'run'];
const DEVICES = [
  { path: 'dev/net/tun', major: 10, minor: 200 },
  { path: 'dev/kvm', major: 10, minor: 232 },
  { path: 'dev/urandom', major: 1, minor: 9 },
];
const MOST_FILES = 2048;

/** The real one exits with 1 whatever it refuses, its arguments included. */
export function runJailer(program: string, argv: readonly string[]): void {
  try {
    const parsed = parse(argv);
    if (parsed.values.has('version')) return void process.stdout.write(`Jailer v${VERSION}\n\n`);
    jail(program, parsed);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function parse(argv: readonly string[]): ParsedArguments {
  try {
    return parseArguments(argv, RULES);
  } catch (error) {
    if (error instanceof ArgumentError)
      throw new Error(`Failed to parse arguments: ${error.message}`, { cause: error });
    throw error;
  }
}

function jail(program: string, { values, rest }: ParsedArguments): void {
  const one = (name: string): string | undefined => values.get(name)?.[0];
  const settings = loadDoubleSettings(realpathSync(program));
  const id = checkId(one('id') ?? '');
  const [uid, gid] = [toUserId(one('uid'), 'uid'), toUserId(one('gid'), 'gid')];
  const execFile = canonicalize(one('exec-file') ?? '');
  if (!statSync(execFile).isFile()) throw new Error(`${execFile} is not a file`);
  const base = canonicalize(one('chroot-base-dir') ?? '/srv/jailer');
  if (!statSync(base).isDirectory()) throw new Error(`${base} is not a directory`);
  const name = basename(execFile);
  const root = join(base, name, id, 'root');
  const limits = toLimits(values.get('resource-limit') ?? []);
  if (values.has('daemonize') || values.has('new-pid-ns')) throw new Error('the double cannot do that');

  mkdirSync(root, { recursive: true });
  copyFileSync(execFile, join(root, name));
  chownSync(join(root, name), uid, gid);
  // Firecracker's double needs it beside itself, too.
  copyFileSync(join(dirname(realpathSync(program)), SETTINGS_FILE), join(root, SETTINGS_FILE));
  joinCgroups({
    id,
    parent: one('parent-cgroup') ?? name,
    version: one('cgroup-version') ?? '1',
    settings: values.get('cgroup') ?? [],
  });
  makeFolders(root, uid, gid);

  const netns = one('netns');
  const child = spawn(
    'nsenter',
    [
      ...(netns === undefined ? [] : [`--net=${canonicalize(netns)}`]),
      ...['--', 'prlimit', `--nofile=${limits.noFile}`, `--fsize=${limits.fsize}`, '--'],
      ...['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', '--'],
      ...[process.execPath, '--preserve-symlinks-main', `/proc/self/cwd/${name}`, '--id', id],
      ...['--start-time-us', '0', '--start-time-cpu-us', '0', '--parent-cpu-time-us', '0', ...rest],
    ],
    {
      cwd: root,
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { PATH: SYSTEM_PATH },
    },
  );
  createDoubleKvm(child, { root, uid, networkNamespace: netns ?? null, settings });
  // As the jailer is replaced by Firecracker, it ends as that does.
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.kill(process.pid, signal);
  });
}

function checkId(id: string): string {
  if (id.length < 1 || id.length > 64)
    throw new Error(`Invalid instance ID: Invalid len (${id.length});  the length must be between 1 and 64`);
  const at = id.search(/[^A-Za-z0-9-]/);
  if (at >= 0) throw new Error(`Invalid instance ID: Invalid char (${id[at]}) at position ${at}`);
  return id;
}

function toUserId(text: string | undefined, what: 'uid' | 'gid'): number {
  if (text === undefined || !/^\d+$/.test(text)) throw new Error(`Invalid ${what}: ${text}`);
  return Number(text);
}

function canonicalize(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    throw new Error(`Failed to canonicalize path ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function toLimits(settings: readonly string[]): { noFile: string; fsize: string } {
  const limits = { noFile: String(MOST_FILES), fsize: 'unlimited' };
  for (const setting of settings) {
    const [name, value] = setting.split('=');
    if (value === undefined) throw new Error(`Invalid format for resources limits: ${setting}`);
    if (!/^\d+$/.test(value))
      throw new Error(`Invalid limit value for resource: ${value}: invalid digit found in string`);
    if (name === 'no-file') limits.noFile = value;
    else if (name === 'fsize') limits.fsize = value;
    else throw new Error(`Invalid resource argument: ${name}`);
  }
  return limits;
}

function makeFolders(root: string, uid: number, gid: number): void {
  for (const folder of FOLDERS) {
    const path = join(root, folder);
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o700);
    chownSync(path, uid, gid);
  }
  for (const { path, major, minor } of DEVICES) {
    const file = join(root, path);
    const made = spawnSync('mknod', ['-m', '0600', file, 'c', String(major), String(minor)], { encoding: 'utf8' });
    if (made.status !== 0)
      throw new Error(`Failed to create /${path} via mknod inside the jail: ${made.stderr.trim()}`);
    chownSync(file, uid, gid);
  }
}
