/**
 * The argv that turns this machine into one browser VM: bubblewrap with a view of its own (system folders read-only, empty HOME and /tmp).
 *
 * As root there are three stages: enter the VM's network namespace; lay the few folders of ours below /mnt of a private mount namespace,
 * for they may lie where only root can look; become the VM's own uid. From there on root and an ordinary user share the same last stage:
 * bubblewrap with a user namespace, in which the VM's only person is uid 1000.
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { AUTHORITY_FILES } from '../vm/authorities.ts';
import { BROWSER_POLICY_FILE } from '../vm/browser-policy.ts';
import type { EgressPolicy } from '../vm/egress-policy.ts';
import { GUEST, VM_ETC_FILES, toGuestEnvironment } from '../vm/guest.ts';

/** Folders and files of this machine that the VM gets to see besides its system folders. */
export type SandboxSources = {
  vmId: string;
  runDir: string;
  etcDir: string;
  agentDir: string;
  nodePath: string;
  /** Whether `etcDir` holds the files of extra certificate authorities (`authorities.ts`). */
  hasAuthorities: boolean;
  proxy: EgressPolicy['proxy'];
  /** The size of each memory file system it may write to. */
  diskMib: number;
  /** Where no control group bounds the VM: weaker, for each of its processes. */
  ownLimits: { pids: number; memoryMib: number } | null;
  layerDir: string | null;
  chromiumPath: string;
  /** The descriptor on which the outermost bubblewrap reports the init process of its namespace, as JSON lines. */
  statusFd: number;
};

/** Where root starts the VM; null for an ordinary user, who has no uid and no network namespace to give away. */
export type RootStage = { uid: number; networkNamespace: string | null };

/** What of the machine's /etc a browser and a CLI need. Never its browser policies, accounts or secrets. */
const SYSTEM_ETC = [
  '/etc/alternatives',
  '/etc/chromium/master_preferences',
  '/etc/fonts',
  '/etc/glvnd',
  '/etc/gtk-3.0',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/etc/mime.types',
  '/etc/os-release',
  '/etc/pki',
  '/etc/protocols',
  '/etc/services',
  '/etc/ssl',
  '/etc/X11',
  '/etc/xdg',
  '/var/cache/fontconfig',
];
const MIB = 1024 * 1024;
/** Chromium shares pictures between its processes there. */
const SHM_MIB = 256;

/** How many process namespaces the VM's first process is below this machine's. */
export const toNamespaceDepth = (root: RootStage | null): number => (root === null ? 1 : 2);

/**
 * Root's stage has a process namespace, too: when it is killed, the kernel must end what it holds, for a dying parent without
 * capabilities may not signal the VM's uid, and `--die-with-parent` would be lost on the way. Its /proc shows that namespace, for the next
 * bubblewrap looks up its child there by number: this machine's /proc would show a stranger or, in a container, nobody. Not by `--proc`,
 * which covers parts of it, and the kernel then refuses the VM a /proc of its own.
 */
export function toSandboxArgv(sources: SandboxSources, root: RootStage | null, command: readonly string[]): string[] {
  const status = ['--json-status-fd', String(sources.statusFd)];
  if (root === null) return [...toGuestStage(sources, status), ...command];
  const staged: SandboxSources = {
    ...sources,
    runDir: '/mnt/run',
    etcDir: '/mnt/etc',
    agentDir: '/mnt/agent',
    nodePath: '/mnt/node',
    layerDir: sources.layerDir === null ? null : '/mnt/layer',
  };
  return [
    ...(root.networkNamespace === null ? [] : ['nsenter', `--net=${root.networkNamespace}`, '--']),
    ...['bwrap', '--die-with-parent', '--unshare-pid', ...status, '--dev-bind', '/', '/', '--tmpfs', '/mnt'],
    ...['--bind', sources.runDir, staged.runDir],
    ...['--ro-bind', sources.etcDir, staged.etcDir],
    ...['--ro-bind', sources.agentDir, staged.agentDir],
    ...['--ro-bind', sources.nodePath, staged.nodePath],
    ...(sources.layerDir === null ? [] : ['--ro-bind', sources.layerDir, '/mnt/layer']),
    ...[
      '--',
      'unshare',
      '--mount-proc',
      '--',
      'setpriv',
      `--reuid=${root.uid}`,
      `--regid=${root.uid}`,
      '--clear-groups',
      '--no-new-privs',
    ],
    ...['--inh-caps=-all', '--bounding-set=-all', '--'],
    ...toGuestStage(staged, []),
    ...command,
  ];
}

function toGuestStage(sources: SandboxSources, status: readonly string[]): string[] {
  const disk = String(sources.diskMib * MIB);
  const shm = String(Math.min(sources.diskMib, SHM_MIB) * MIB);
  return [
    ...['bwrap', '--die-with-parent', '--new-session', ...status],
    ...['--unshare-user', '--uid', String(GUEST.uid), '--gid', String(GUEST.uid)],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--hostname', 'vestibule'],
    ...toEnvironment(sources),
    ...toSystemFolders(sources.chromiumPath),
    ...['--proc', '/proc', '--dev', '/dev', '--perms', '1777', '--size', shm, '--tmpfs', '/dev/shm'],
    ...['--perms', '1777', '--size', disk, '--tmpfs', '/tmp'],
    ...['--perms', '0700', '--size', disk, '--tmpfs', GUEST.home],
    ...SYSTEM_ETC.flatMap((path) => ['--ro-bind-try', path, path]),
    ...VM_ETC_FILES.flatMap((name) => ['--ro-bind', `${sources.etcDir}/${name}`, `/etc/${name}`]),
    ...toTrust(sources),
    ...['--bind', sources.runDir, GUEST.runDir],
    ...['--ro-bind', sources.nodePath, GUEST.node],
    ...['--ro-bind', sources.agentDir, GUEST.agentDir],
    ...(sources.layerDir === null ? [] : ['--ro-bind', sources.layerDir, GUEST.layerDir]),
    ...['--remount-ro', '/dev', '--remount-ro', '/', '--chdir', GUEST.home, '--', ...toOwnLimits(sources)],
  ];
}

/**
 * Bounds that a process carries itself: no memory of it on the disk when it dies. Within the user namespace, for there the kernel counts
 * the VM's processes alone; a VM that makes further namespaces is counted anew in each.
 */
function toOwnLimits({ ownLimits }: SandboxSources): string[] {
  const bounds = ownLimits === null ? [] : [`--nproc=${ownLimits.pids}`, `--data=${ownLimits.memoryMib * MIB}`];
  return ['prlimit', '--core=0', ...bounds, '--'];
}

/** The browser's policy and, where there are any, the extra certificate authorities. */
function toTrust({ etcDir, hasAuthorities }: SandboxSources): string[] {
  const { extra, all } = AUTHORITY_FILES;
  return [
    ...['--ro-bind', `${etcDir}/${BROWSER_POLICY_FILE}`, GUEST.policyFile],
    ...(hasAuthorities ? [extra, all] : []).flatMap((name) => [
      '--ro-bind',
      `${etcDir}/${name}`,
      `${GUEST.authoritiesDir}/${name}`,
    ]),
  ];
}

function toEnvironment(sources: SandboxSources): string[] {
  const environment = toGuestEnvironment({ ...sources, pace: 1 });
  return ['--clearenv', ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value])];
}

/** /usr and the folders beside it, which are links into it on a merged system. */
function toSystemFolders(chromiumPath: string): string[] {
  const beside = ['/bin', '/sbin', '/lib', '/lib32', '/lib64'].flatMap((path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [];
    return stat.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
  });
  const browserDir = dirname(chromiumPath);
  const browser = browserDir.startsWith('/usr/') ? [] : ['--ro-bind', browserDir, browserDir];
  return ['--ro-bind', '/usr', '/usr', ...beside, ...browser];
}
