/** What the runtime `container` needs of this machine, each really tried; each unmet need with the command or the setting that meets it. */
import { access, constants } from 'node:fs/promises';
import type { Requirement } from '@vestibule/protocol/api';
import { checkNameServers, checkNetwork } from '../process/process-preflight.ts';
import { runCommand } from '../system/run-command.ts';
import { checkForwarding } from '../vm/foreign-filters.ts';
import type { ImageVmHostOptions } from '../vm/vm-host-options.ts';
import type { VmLimits } from '../vm/vm-limits.ts';
import { IMAGE_CHROMIUM } from './container-guest.ts';
import { NO_IMAGE, type createContainerImages } from './container-image.ts';
import { probeContainer, type ProbeFacts } from './container-probe.ts';
import { findEngineHint } from './engine-hints.ts';
import type { Engine } from './engine.ts';

export type ContainerPreflightQuery = {
  options: ImageVmHostOptions & {
    socketPath: string;
    ociRuntime: string | null;
    overlays?: Readonly<Record<string, string>>;
  };
  engine: Engine;
  images: ReturnType<typeof createContainerImages>;
  limits: VmLimits;
  networkCidr: string;
  /** Without symlinks; see `findBrowser`. */
  chromiumPath: string | null;
  /** A uid that no VM has. */
  probeUid: number;
};
export type ContainerPreflight = { requirements: Requirement[]; pace: number };

type Finding = Requirement | null;

/** OCI runtimes that bring a kernel of their own. */
export const OWN_KERNEL = /^(runsc|kata|krun)/;

const OLDEST_API = 1.4;
const START_ENGINE =
  'Start the API of podman (apt-get install -y --no-install-recommends podman runc conmon netavark, then systemctl enable --now podman.socket, or ' +
  'without systemd: mkdir -p /run/podman && podman system service --time=0 unix:///run/podman/podman.sock &) or of Docker, or correct ' +
  'VESTIBULE_CONTAINER_SOCKET.';
const ALLOW_NAMESPACES =
  "The engine's seccomp profile must allow user namespaces, as podman's does (with Docker: dockerd --seccomp-profile=/usr/share/containers/seccomp.json, " +
  'a file of the package golang-github-containers-common), and so must the kernel: sysctl user.max_user_namespaces above 0, ' +
  'kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0.';
const GVISOR_FLAGS =
  'See what the OCI runtime logged. gVisor must let a VM use sockets, pipes and the network device that this server gives it: ' +
  'runsc --host-uds=all --host-fifo=open --network=host, of a release later than the one of Debian 12, which hands no pipe through.';
/** Guests that are not this much slower are as quick as this machine, measured on a busy one. */
const LEAST_PACE = 3;

const missing = (id: string, title: string, hint: string): Requirement => ({ id, title, hint, severity: 'missing' });
const notice = (id: string, title: string, hint: string): Requirement => ({ id, title, hint, severity: 'notice' });
const toWords = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);

/** Never rejects. */
export async function checkContainerRuntime(query: ContainerPreflightQuery): Promise<ContainerPreflight> {
  const apt = (packages: string): string => `apt-get update && apt-get install -y --no-install-recommends ${packages}`;
  const isRoot = process.geteuid?.() === 0;
  const [build, browser, network, forwarding, nameServers, probed] = await Promise.all([
    checkOwnFiles(query.options),
    checkBrowser(query),
    isRoot ? checkNetwork(query, apt) : Promise.resolve(toRootFinding()),
    isRoot ? checkForwarding() : Promise.resolve(null),
    checkNameServers({ vmDns: query.options.vmDns, isRoot: true }),
    isRoot ? checkEngine(query) : { findings: [], pace: 1 },
  ]);
  const findings: Finding[] = [
    build,
    browser,
    network,
    forwarding,
    ...probed.findings,
    nameServers,
    toSharedKernelNotice(query),
  ];
  return { requirements: findings.filter((finding) => finding !== null), pace: probed.pace };
}

function toRootFinding(): Requirement {
  const title = 'Browser machines in containers need root: each gets a network and a user of its own';
  return missing('root', title, 'Start Vestibule as root, or use VESTIBULE_RUNTIME=process.');
}

function toSharedKernelNotice({ options }: ContainerPreflightQuery): Finding {
  if (options.ociRuntime !== null && OWN_KERNEL.test(options.ociRuntime)) return null;
  return notice(
    'shared_kernel',
    "Browser machines share this server's kernel",
    'They are containers, with all that a kernel offers to separate them. VESTIBULE_CONTAINER_RUNTIME=runsc (gVisor) or a real virtual machine separates more.',
  );
}

async function checkOwnFiles({ supervisorEntry, policyFile, vmsDir }: ImageVmHostOptions): Promise<Finding> {
  // podman's API takes mounts apart at commas.
  if (vmsDir.includes(','))
    return missing(
      'build',
      `The data folder's path has a comma: ${vmsDir}`,
      'Set VESTIBULE_DATA_DIR to a path without one.',
    );
  const files = [supervisorEntry, policyFile];
  const results = await Promise.allSettled(files.map((file) => access(file, constants.R_OK)));
  const absent = files.filter((_, index) => results[index]?.status === 'rejected');
  if (absent.length === 0) return null;
  return missing('build', `Parts of Vestibule itself are missing: ${absent.join(', ')}`, 'npm run build');
}

/** Its folder takes the place of the image's folder of the same name, which must not be one that the image needs. */
async function checkBrowser({ options, chromiumPath }: ContainerPreflightQuery): Promise<Finding> {
  const { chromiumPath: named } = options;
  const hint = `Correct the setting VESTIBULE_BROWSER (now ${named}), or leave it out. Chrome for Debian is /opt/google/chrome/chrome.`;
  if (chromiumPath === null) return missing('chromium', `The browser ${named} is not installed on this server`, hint);
  if (chromiumPath === IMAGE_CHROMIUM || /^\/(opt|usr\/local|home|srv)\/./.test(chromiumPath)) return null;
  return missing(
    'chromium',
    `The browser ${chromiumPath} lies in a folder of the system, which cannot be shown to browser machines`,
    hint,
  );
}

/** The engine, the image in it, and a container that tells what it finds: each only when the one before it is there. */
async function checkEngine(query: ContainerPreflightQuery): Promise<{ findings: Finding[]; pace: number }> {
  const { engine, images, options } = query;
  const stop = (...findings: Finding[]) => ({ findings, pace: 1 });
  try {
    const { ApiVersion, Version } = await engine.version();
    if (Number(ApiVersion) < OLDEST_API)
      return stop(
        missing(
          'container_engine',
          `The container engine ${Version} speaks API ${ApiVersion}, which is too old`,
          START_ENGINE,
        ),
      );
  } catch (error) {
    return stop(missing('container_engine', `No container engine answers: ${toWords(error)}`, START_ENGINE));
  }
  let image: string;
  try {
    image = await images.ensure();
  } catch (error) {
    const said = toWords(error);
    if (said === NO_IMAGE)
      return stop(missing('image', 'No image of browser machines was built', 'vestibule images build'));
    const hint = findEngineHint(said, 'Make room on the disk, or build the image again: vestibule images build');
    return stop(missing('image', `The image cannot be brought into the container engine: ${said}`, hint));
  }
  try {
    const { installationId, ociRuntime, overlays = {} } = options;
    const { limits, probeUid: uid } = query;
    const facts = await probeContainer({
      ...{
        engine,
        installationId,
        image,
        ociRuntime,
        limits,
        uid,
        overlays,
        chromiumPath: query.chromiumPath ?? IMAGE_CHROMIUM,
      },
    });
    return {
      findings: checkFacts(facts, limits, ociRuntime !== null && OWN_KERNEL.test(ociRuntime)),
      pace: await toPace(facts, options),
    };
  } catch (error) {
    const said = toWords(error);
    return stop(
      missing(
        'container',
        `A container cannot be run as a browser machine: ${said}`,
        findEngineHint(said, options.ociRuntime === null ? START_ENGINE : GVISOR_FLAGS),
      ),
    );
  }
}

function checkFacts(
  { sandbox, homeFileSystem, memoryLimit, pidsLimit }: ProbeFacts,
  limits: VmLimits,
  hasOwnKernel: boolean,
): Finding[] {
  const isSandboxed = sandbox === 'yes';
  // A kernel of its own shows its own limits, if any.
  const isLimited =
    hasOwnKernel || (memoryLimit === String(limits.memoryMib * 1024 * 1024) && pidsLimit === String(limits.pids));
  return [
    isSandboxed
      ? null
      : missing(
          'browser_sandbox',
          `Chromium's own sandbox cannot be made in a container: ${sandbox.slice(0, 200)}`,
          ALLOW_NAMESPACES,
        ),
    homeFileSystem === 'tmpfs'
      ? null
      : missing(
          'container',
          `The container engine does not see what Vestibule mounts: the home of a browser machine would lie on ${homeFileSystem}`,
          'Start Vestibule in the same mount namespace as the container engine (systemd: without PrivateMounts, PrivateTmp and ProtectSystem).',
        ),
    isLimited
      ? null
      : missing(
          'limits',
          `The container engine does not limit what a browser machine uses (memory ${memoryLimit || 'unknown'}, processes ${pidsLimit || 'unknown'})`,
          'Enable the control groups memory and pids (kernel command line: cgroup_enable=memory), and see `podman info` or `docker info`.',
        ),
  ];
}

/** How much longer Node takes to start there than here, just now. */
async function toPace({ nodeMs }: ProbeFacts, { nodePath }: ImageVmHostOptions): Promise<number> {
  const begun = performance.now();
  await runCommand([nodePath, '-e', '0']);
  const pace = nodeMs / (performance.now() - begun);
  return pace < LEAST_PACE ? 1 : Math.round(pace);
}
