/**
 * What a container engine is told of one browser VM: the walls of the runtime `container`, all in one place. The VM has no network of the
 * engine's making, no capability but SYS_CHROOT (which Chromium's own sandbox takes in a namespace of its own), and nothing to write to
 * but memory file systems and its run folder. Pure.
 */
import { dirname } from 'node:path';
import { AUTHORITY_FILES } from '../vm/authorities.ts';
import { BROWSER_POLICY_FILE } from '../vm/browser-policy.ts';
import { GUEST, VM_ETC_FILES } from '../vm/guest.ts';
import type { VmLimits } from '../vm/vm-limits.ts';
import { CONTAINER_INIT, IMAGE_CHROMIUM, WIRE_DIR } from './container-guest.ts';

export type ContainerSources = {
  vmId: string;
  installationId: string;
  image: string;
  /** The engine's name of a runtime of its own, such as `runsc`; null for its default. */
  ociRuntime: string | null;
  /** The user of the VM, also on this machine. */
  uid: number;
  limits: VmLimits;
  /** Absolute paths on this machine. */
  runDir: string;
  wireDir: string;
  homeDir: string;
  /** Holds the VM's files of /etc, the browser's policy, and the authorities. */
  etcDir: string;
  /** Whether `etcDir` holds the files of extra certificate authorities. */
  hasAuthorities: boolean;
  layerDir: string | null;
  /** The browser, without symlinks. Its folder is shown to the VM when it is not the image's own. */
  chromiumPath: string;
  environment: Readonly<Record<string, string>>;
  command: readonly string[];
  /** Further files or folders that are laid over the image's, read-only; by their path inside. */
  overlays: Readonly<Record<string, string>>;
};

export type ContainerBody = ReturnType<typeof toContainerBody>;

export const LABELS = { installation: 'vestibule.installation', vm: 'vestibule.vm' } as const;

const MIB = 1024 * 1024;
const SHM_MIB = 256;
const RUN_MIB = 16;
/** Also where the engine may raise no limit of its own: without CAP_SYS_RESOURCE its default is more than it may give. */
const MOST_FILES = 16_384;
const MOST_PROCESSES_OF_USER = 16_384;
const OOM_SCORE = 500;
const CHROME_POLICY = '/etc/opt/chrome/policies/managed/vestibule.json';

export function toContainerBody(sources: ContainerSources) {
  const { vmId, installationId, image, ociRuntime, uid, limits, environment, command } = sources;
  const memory = limits.memoryMib * MIB;
  const tmpfs = (mib: number, mode: string): string => `rw,exec,nosuid,nodev,size=${mib}m,mode=${mode}`;
  return {
    Image: image,
    Hostname: 'vestibule',
    User: `${uid}:${uid}`,
    WorkingDir: '/',
    Entrypoint: [CONTAINER_INIT],
    Cmd: [...command],
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    Labels: { [LABELS.installation]: installationId, [LABELS.vm]: vmId },
    HostConfig: {
      ...(ociRuntime === null ? {} : { Runtime: ociRuntime }),
      NetworkMode: 'none',
      IpcMode: 'private',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: ['SYS_CHROOT'],
      SecurityOpt: ['no-new-privileges'],
      Memory: memory,
      // With swap as much as without: none of it is swapped out.
      MemorySwap: memory,
      PidsLimit: limits.pids,
      NanoCpus: Math.round(limits.cpus * 1e9),
      ShmSize: Math.min(limits.diskMib, SHM_MIB) * MIB,
      OomScoreAdj: OOM_SCORE,
      Ulimits: [
        { Name: 'nofile', Soft: MOST_FILES, Hard: MOST_FILES },
        { Name: 'nproc', Soft: MOST_PROCESSES_OF_USER, Hard: MOST_PROCESSES_OF_USER },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      // Its supervisor keeps the log, bounded.
      LogConfig: { Type: 'none' },
      RestartPolicy: { Name: 'no' },
      Tmpfs: {
        '/tmp': tmpfs(limits.diskMib, '1777'),
        '/var/tmp': tmpfs(RUN_MIB, '1777'),
        '/run': tmpfs(RUN_MIB, '0755'),
      },
      // Unlike `Binds`, they take a path with a colon.
      Mounts: toMounts(sources),
    },
  };
}

function toMounts(sources: ContainerSources) {
  const bind = (source: string, target: string, isReadOnly: boolean) => ({
    ...{ Type: 'bind', Source: source, Target: target, ReadOnly: isReadOnly },
  });
  return [
    bind(sources.runDir, GUEST.runDir, false),
    bind(sources.homeDir, GUEST.home, false),
    // Its pipes can be neither replaced nor, but for the log, written to.
    bind(sources.wireDir, WIRE_DIR, true),
    ...Object.entries(toReadOnlySources(sources)).map(([target, source]) => bind(source, target, true)),
  ];
}

/** By the path inside. */
function toReadOnlySources(sources: ContainerSources): Record<string, string> {
  const { etcDir, hasAuthorities, layerDir } = sources;
  const authorities = hasAuthorities ? [AUTHORITY_FILES.extra, AUTHORITY_FILES.all] : [];
  return {
    ...Object.fromEntries(VM_ETC_FILES.map((name) => [`/etc/${name}`, `${etcDir}/${name}`])),
    ...Object.fromEntries(authorities.map((name) => [`${GUEST.authoritiesDir}/${name}`, `${etcDir}/${name}`])),
    ...toBrowserSources(sources),
    ...(layerDir === null ? {} : { [GUEST.layerDir]: layerDir }),
    ...sources.overlays,
  };
}

/** The policy that the browser reads and, when it is one that the operator installed, its folder. */
function toBrowserSources({ chromiumPath, etcDir }: ContainerSources): Record<string, string> {
  const policy = `${etcDir}/${BROWSER_POLICY_FILE}`;
  if (chromiumPath === IMAGE_CHROMIUM) return { [GUEST.policyFile]: policy };
  const folder = dirname(chromiumPath);
  return { [GUEST.policyFile]: policy, [CHROME_POLICY]: policy, [folder]: folder };
}
