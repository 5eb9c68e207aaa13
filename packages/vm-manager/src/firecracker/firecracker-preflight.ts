/** What the runtime `firecracker` needs of this machine, each really looked at; each unmet need with what to do about it. Never rejects. */
import { access, constants, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Requirement } from '@vestibule/protocol/api';
import { findCurrentImage } from '../images/image-store.ts';
import { tryCommand } from '../system/run-command.ts';
import { findJailCgroups } from './jail-cgroups.ts';
import { checkForwarding } from '../vm/foreign-filters.ts';
import { probeVm } from './probe-vm.ts';

export type FirecrackerQuery = {
  firecrackerPath: string;
  jailerPath: string;
  jailsDir: string;
  imagesDir: string;
  supervisorEntry: string;
  policyFile: string;
  uidBase: number;
  slots: number;
};

type Finding = Requirement | null;

/** The first whose VMs find their devices by ACPI, as the image's kernel does. */
const OLDEST = [1, 8] as const;
const DOUBLE = /-double$/;
const PROBE_HINT =
  'KVM is there, but a virtual machine does not run in it: this server may itself be virtual without nested virtualization. Build the image again (vestibule images build), or take another server or runtime.';
const NETWORK_HINT =
  'Start Vestibule where root may use network namespaces and nftables (CAP_NET_ADMIN, CAP_SYS_ADMIN).';
const apt = (packages: string): string => `apt-get update && apt-get install -y --no-install-recommends ${packages}`;

export async function checkFirecracker(query: FirecrackerQuery): Promise<Requirement[]> {
  const isRoot = process.geteuid?.() === 0;
  const versions = await findVersions(query);
  const isDouble = DOUBLE.test(versions.firecracker ?? '');
  const findings = [
    isRoot ? null : missing('root', 'Only root can start Firecracker’s jailer', 'Start Vestibule as root.'),
    ...checkVersions(query, versions),
    isDouble ? toDoubleNotice() : null,
    ...(await Promise.all([
      isDouble ? Promise.resolve(null) : checkKvm(),
      checkTun(),
      checkBubblewrap(),
      checkNetwork(),
      checkForwarding(),
      checkCgroups(),
      checkJailsDir(query),
      checkImage(query, versions, isDouble),
      checkUids(query),
      checkOwnFiles(query),
    ])),
  ];
  return findings.filter((finding) => finding !== null);
}

const missing = (id: string, title: string, hint: string): Requirement => ({ id, title, hint, severity: 'missing' });

type FirecrackerVersions = { firecracker: string | null; jailer: string | null };

/** As the programs say it themselves, without `v`; null where that cannot be had. */
export async function findVersions(
  query: Pick<FirecrackerQuery, 'firecrackerPath' | 'jailerPath'>,
): Promise<FirecrackerVersions> {
  const ask = async (path: string, name: string): Promise<string | null> => {
    const result = await tryCommand([path, '--version']).catch(() => null);
    return new RegExp(`^${name} v(\\S+)`, 'm').exec(result?.stdout ?? '')?.[1] ?? null;
  };
  const [firecracker, jailer] = await Promise.all([
    ask(query.firecrackerPath, 'Firecracker'),
    ask(query.jailerPath, 'Jailer'),
  ]);
  return { firecracker, jailer };
}

function checkVersions(query: FirecrackerQuery, { firecracker, jailer }: FirecrackerVersions): Finding[] {
  const hint =
    'Install a release of github.com/firecracker-microvm/firecracker; VESTIBULE_FIRECRACKER and VESTIBULE_JAILER name its two programs.';
  const absent = [
    firecracker === null ? missing('firecracker', `Firecracker cannot be run: ${query.firecrackerPath}`, hint) : null,
    jailer === null ? missing('jailer', `Firecracker’s jailer cannot be run: ${query.jailerPath}`, hint) : null,
  ];
  if (firecracker === null || jailer === null) return absent;
  const [major = 0, minor = 0] = firecracker.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  if (isOld)
    return [
      missing(
        'firecracker',
        `Firecracker ${firecracker} is too old: ${OLDEST.join('.')} is the first that can start the image’s kernel`,
        hint,
      ),
    ];
  if (firecracker === jailer) return [];
  return [missing('jailer', `Firecracker ${firecracker} and the jailer ${jailer} are not of the same release`, hint)];
}

function toDoubleNotice(): Requirement {
  return {
    id: 'firecracker_double',
    title: 'This is a double of Firecracker, for tests: its VMs are sandboxes on this server’s own kernel',
    hint: 'Do not sign anybody in with it. For virtual machines, install Firecracker on a server with KVM.',
    severity: 'notice',
  };
}

/** Node cannot ask KVM itself; whether a VM really runs is tried with the image. */
async function checkKvm(): Promise<Finding> {
  const hint =
    'Firecracker needs a server with hardware virtualization that its owner lets you use: a bare-metal server, or a virtual one with nested virtualization.';
  const flags = /^flags\s*:(.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''))?.[1] ?? '';
  if (process.arch === 'x64' && !/\b(?:vmx|svm)\b/.test(flags))
    return missing('kvm', 'This server’s processor offers no hardware virtualization (neither vmx nor svm)', hint);
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => null,
    () => missing('kvm', '/dev/kvm cannot be opened', `modprobe kvm_intel, or kvm_amd. ${hint}`),
  );
}

async function checkTun(): Promise<Finding> {
  return access('/dev/net/tun').then(
    () => null,
    () => missing('tun', 'There is no /dev/net/tun, from which VMs get their network', 'modprobe tun'),
  );
}

async function checkBubblewrap(): Promise<Finding> {
  const found = await tryCommand(['bwrap', '--unshare-pid', '--dev-bind', '/', '/', '--', 'true']).catch(() => null);
  if (found?.exitCode === 0) return null;
  const said = found === null ? 'is not installed' : `does not work: ${found.stderr.trim().slice(0, 200)}`;
  return missing('bubblewrap', `bubblewrap ${said}; a VM ends with its supervisor by it`, apt('bubblewrap'));
}

async function checkNetwork(): Promise<Finding> {
  const name = `vestibule_probe_${randomBytes(4).toString('hex')}`;
  const commands = `netns add ${name}
netns del ${name}
`;
  const results = await Promise.all([
    tryCommand(['ip', '-batch', '-'], { stdin: commands }).catch(() => null),
    tryCommand(['nft', 'list', 'tables']).catch(() => null),
  ]);
  if (results.includes(null))
    return missing('network', 'nftables or iproute2 is not installed', apt('nftables iproute2'));
  const failed = results.find((result) => result?.exitCode !== 0);
  if (failed === undefined) return null;
  const said = failed?.stderr.trim().slice(0, 200);
  return missing('network', `Browser machines cannot get a network of their own: ${said}`, NETWORK_HINT);
}

function checkCgroups(): Promise<Finding> {
  if (findJailCgroups() !== null) return Promise.resolve(null);
  return Promise.resolve(
    missing(
      'cgroups',
      'VMs cannot be limited: no cgroups with memory, pids and cpu',
      'Mount cgroups (version 2: mount -t cgroup2 cgroup2 /sys/fs/cgroup).',
    ),
  );
}

/** Hard links and devices must work where jails are: a file system for data, mounted without `nodev`. */
async function checkJailsDir({ jailsDir }: FirecrackerQuery): Promise<Finding> {
  const name = join(jailsDir, `.probe-${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(jailsDir, { recursive: true, mode: 0o700 });
    await writeFile(name, '');
    await link(name, `${name}.link`);
    const made = await tryCommand(['mknod', '-m', '0600', `${name}.device`, 'c', '1', '3']);
    if (made.exitCode !== 0) throw new Error(made.stderr.trim());
    await access(`${name}.device`, constants.R_OK);
    await readFile(`${name}.device`);
    return null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return missing(
      'jails',
      `Jails cannot be made in ${jailsDir}: ${said.slice(0, 200)}`,
      'It must be on a local file system that is not mounted with nodev.',
    );
  } finally {
    await Promise.all(['', '.link', '.device'].map((end) => rm(`${name}${end}`, { force: true })));
  }
}

/** Also whether a VM of it really runs, where nothing that is looked at elsewhere speaks against it. */
async function checkImage(
  { imagesDir, firecrackerPath }: FirecrackerQuery,
  { firecracker }: FirecrackerVersions,
  isDouble: boolean,
): Promise<Finding> {
  const hint = 'vestibule images build';
  try {
    const image = await findCurrentImage(imagesDir);
    if (image === null) return missing('images', 'No image for browser machines was built', hint);
    const files = ['rootfs', 'vmlinux', 'initramfs'] as const;
    const modes = await Promise.all(files.map(async (file) => (await stat(image.pathOf(file))).mode));
    // Each VM's own uid opens them.
    if (modes.some((mode) => (mode & constants.S_IROTH) === 0)) throw new Error('not everybody may read its files');
    if (firecracker === null || (!isDouble && (await checkKvm()) !== null)) return null;
    const fault = await probeVm(firecrackerPath, image);
    if (fault === null) return null;
    return missing('probe', `Firecracker cannot run the image’s kernel here: ${fault}`, PROBE_HINT);
  } catch (error) {
    const said = error instanceof Error ? error.message.slice(0, 200) : '';
    return missing('images', `The image for browser machines cannot be used: ${said}`, hint);
  }
}

/** Each VM runs as a uid of its own, which nobody else may have. */
async function checkUids({ uidBase, slots }: FirecrackerQuery): Promise<Finding> {
  const accounts = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  const taken = accounts.find(([, , uid]) => Number(uid) >= uidBase && Number(uid) < uidBase + slots);
  if (taken === undefined) return null;
  return missing(
    'uids',
    `The account ${taken[0]} has a uid (${taken[2]}) that VMs run as (${uidBase} to ${uidBase + slots - 1})`,
    'Give that account another uid.',
  );
}

async function checkOwnFiles({ supervisorEntry, policyFile }: FirecrackerQuery): Promise<Finding> {
  const files = [supervisorEntry, policyFile];
  const results = await Promise.allSettled(files.map((file) => access(file, constants.R_OK)));
  const absent = files.filter((_, index) => results[index]?.status === 'rejected');
  return absent.length === 0
    ? null
    : missing('build', `Parts of Vestibule itself are missing: ${absent.join(', ')}`, 'npm run build');
}
