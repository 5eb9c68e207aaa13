/** What the runtime `process` needs of this machine, each really tried, all at once; each unmet need with the command that meets it. */
import { randomBytes } from 'node:crypto';
import { access, chmod, chown, constants, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Requirement } from '@vestibule/protocol/api';
import { BROWSER_POLICY_FILE } from '../vm/browser-policy.ts';
import { checkForwarding } from '../vm/foreign-filters.ts';
import { findNameServers } from '../vm/name-servers.ts';
import { runCommand } from '../system/run-command.ts';
import { toSandboxArgv } from './sandbox.ts';
import { GUEST } from '../vm/guest.ts';
import { createVmCgroups } from '../vm/vm-cgroup.ts';
import { toVmEtc } from '../vm/vm-etc.ts';
import { toRuleset } from '../vm/egress-rules.ts';

export type PreflightQuery = {
  supervisorEntry: string;
  agentDir: string;
  nodePath: string;
  policyFile: string;
  chromiumPath: string;
  vmDns: readonly string[];
  networkCidr: string;
  isRoot: boolean;
  /** A uid that no VM has. */
  probeUid: number;
};

type Finding = Requirement | null;

const DEFAULT_CHROMIUM = '/usr/lib/chromium/chromium';
const MIN_KERNEL_HINT =
  'Unprivileged user namespaces must be allowed (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, ' +
  'kernel.apparmor_restrict_unprivileged_userns=0).';

/** Never rejects. Nothing is remembered from one call to the next. */
export async function checkProcessRuntime(query: PreflightQuery): Promise<Requirement[]> {
  const command = query.isRoot ? 'apt-get' : 'sudo apt-get';
  const apt = (packages: string): string =>
    `${command} update && ${command} install -y --no-install-recommends ${packages}`;
  const findings = await Promise.all([
    checkOwnFiles(query),
    checkSandbox(query, apt),
    query.isRoot ? checkNetwork(query, apt) : Promise.resolve(null),
    checkProgram('chromium', 'The browser Chromium', query.chromiumPath, toBrowserHint(query.chromiumPath, apt)),
    checkProgram('xtigervnc', 'The display server Xtigervnc', '/usr/bin/Xtigervnc', apt('tigervnc-standalone-server')),
    checkProgram('openbox', 'The window manager openbox', '/usr/bin/openbox', apt('openbox')),
    checkFonts(apt),
    checkNameServers(query),
    checkLimits(query.isRoot),
    query.isRoot ? checkForwarding() : Promise.resolve(null),
  ]);
  const notices = query.isRoot ? [toSharedKernelNotice()] : [toSharedKernelNotice(), toSharedNetworkNotice()];
  return [...findings.filter((finding) => finding !== null), ...notices];
}

const missing = (id: string, title: string, hint: string): Requirement => ({ id, title, hint, severity: 'missing' });

function toSharedKernelNotice(): Requirement {
  return {
    id: 'shared_kernel',
    title: "Browser machines share this server's kernel",
    hint: 'They are separated by user and namespaces only. Do not offer them to people you do not trust on a server that matters.',
    severity: 'notice',
  };
}

function toSharedNetworkNotice(): Requirement {
  return {
    id: 'shared_network',
    title:
      "Browser machines share this server's network: they reach whatever you reach, this server's own services too",
    hint: 'Start Vestibule as root, where each gets a network that leads to the internet alone, or use another runtime (VESTIBULE_RUNTIME).',
    severity: 'notice',
  };
}

/** Makes a control group and takes it away. */
async function checkLimits(isRoot: boolean): Promise<Finding> {
  const notice = { id: 'limits', severity: 'notice' } as const;
  if (!isRoot)
    return {
      ...notice,
      title: 'What browser machines use is bounded for each of their processes, not for each machine',
      hint: 'Start Vestibule as root, or use another runtime (VESTIBULE_RUNTIME), where one machine must not slow down others.',
    };
  const name = `probe${randomBytes(4).toString('hex')}`;
  const cgroups = createVmCgroups(name);
  const said = await Promise.resolve(cgroups?.create(`vm_${name}_1`, { memoryMib: 64, pids: 16, cpus: 1 }))
    .then(() => (cgroups === null ? 'this server has none for memory, pids and cpu' : null))
    .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  await cgroups?.remove(`vm_${name}_1`).catch(() => undefined);
  if (said === null) return null;
  return {
    ...notice,
    title: `Browser machines may use all memory and processes of this server: control groups cannot be made: ${said.slice(0, 200)}`,
    hint: 'Start Vestibule where root may write to /sys/fs/cgroup, with the controllers memory, pids and cpu.',
  };
}

function toBrowserHint(path: string, apt: (packages: string) => string): string {
  const correct = `Correct the setting VESTIBULE_BROWSER (now ${path}), or leave it out.`;
  return path === DEFAULT_CHROMIUM ? apt('chromium') : correct;
}

async function checkOwnFiles(query: PreflightQuery): Promise<Finding> {
  const files = [query.supervisorEntry, join(query.agentDir, 'agent.mjs'), query.policyFile];
  const results = await Promise.allSettled(files.map((file) => access(file, constants.R_OK)));
  const absent = files.filter((_, index) => results[index]?.status === 'rejected');
  if (absent.length === 0) return null;
  return missing('build', `Parts of Vestibule itself are missing: ${absent.join(', ')}`, 'npm run build');
}

async function checkProgram(id: string, what: string, path: string, hint: string): Promise<Finding> {
  const isThere = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return isThere ? null : missing(id, `${what} is not installed`, hint);
}

async function checkFonts(apt: (packages: string) => string): Promise<Finding> {
  const hint = apt('fontconfig fonts-dejavu-core');
  const list = await runCommand(['fc-list', ':', 'family']).catch(() => '');
  return list.trim() === '' ? missing('fonts', 'No fonts are installed', hint) : null;
}

export async function checkNameServers({ vmDns, isRoot }: Pick<PreflightQuery, 'vmDns' | 'isRoot'>): Promise<Finding> {
  const servers = await findNameServers({ configured: vmDns, sharedLoopback: !isRoot });
  if (servers.length > 0) return null;
  return {
    id: 'vm_dns',
    title: 'Browser machines have no name server: this server asks one on its own loopback, which they cannot reach',
    hint: 'Set VESTIBULE_VM_DNS to the address of a name server, such as VESTIBULE_VM_DNS=9.9.9.9',
    severity: 'notice',
  };
}

/** Builds a whole sandbox around a harmless program, as the uid and with the mounts of a real VM. */
async function checkSandbox(query: PreflightQuery, apt: (packages: string) => string): Promise<Finding> {
  const title = 'bubblewrap cannot make a browser machine';
  try {
    await runCommand(['bwrap', '--version']);
  } catch {
    return missing('bubblewrap', 'bubblewrap is not installed', apt('bubblewrap'));
  }
  try {
    await probeSandbox(query);
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return missing('bubblewrap', `${title}: ${said.slice(0, 300)}`, MIN_KERNEL_HINT);
  }
}

async function probeSandbox(query: PreflightQuery): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'vestibule-probe-'));
  try {
    const [runDir, etcDir] = [join(dir, 'run'), join(dir, 'etc')];
    await Promise.all([mkdir(runDir), mkdir(etcDir)]);
    if (query.isRoot) await Promise.all([chown(runDir, query.probeUid, query.probeUid), chmod(etcDir, 0o755)]);
    const etc = Object.entries({ ...toVmEtc([]), [BROWSER_POLICY_FILE]: '{}\n' });
    await Promise.all(etc.map(([name, text]) => writeFile(join(etcDir, name), text, { mode: 0o644 })));
    const root = query.isRoot ? { uid: query.probeUid, networkNamespace: null } : null;
    const sources = {
      ...query,
      vmId: 'probe',
      runDir,
      etcDir,
      hasAuthorities: false,
      proxy: null,
      diskMib: 16,
      ownLimits: null,
      layerDir: null,
      statusFd: 1,
      chromiumPath: DEFAULT_CHROMIUM,
    };
    const command = [
      '/usr/bin/test',
      '-x',
      GUEST.node,
      '-a',
      '-r',
      `${GUEST.agentDir}/agent.mjs`,
      '-a',
      '-w',
      GUEST.runDir,
    ];
    await runCommand(toSandboxArgv(sources, root, command));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Makes and drops a network namespace, and a packet filter table in one transaction. */
export async function checkNetwork(
  query: Pick<PreflightQuery, 'networkCidr'>,
  apt: (packages: string) => string,
): Promise<Finding> {
  const name = `vestibule_probe_${randomBytes(4).toString('hex')}`;
  const probe = { table: name, prefix: 'vbprobe', cidr: query.networkCidr, nameServers: ['192.0.2.1'] };
  const ruleset = `${toRuleset({ ...probe, egress: { allow: [], proxy: null } })}delete table inet ${name}\n`;
  const results = await Promise.allSettled([
    runCommand(['nft', '-f', '-'], { stdin: ruleset }),
    runCommand(['ip', '-batch', '-'], { stdin: `netns add ${name}\nnetns del ${name}\n` }),
  ]);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure === undefined) return null;
  const said = failure.reason instanceof Error ? failure.reason.message : String(failure.reason);
  if (said.includes('ENOENT'))
    return missing('network', 'nftables or iproute2 is not installed', apt('nftables iproute2'));
  const title = `Browser machines cannot get a network of their own: ${said.slice(0, 300)}`;
  return missing(
    'network',
    title,
    'Start Vestibule where root may use network namespaces and nftables (CAP_NET_ADMIN, CAP_SYS_ADMIN), or as an ordinary user.',
  );
}
