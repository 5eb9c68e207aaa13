/** What the runtime `qemu` needs of this machine, each really tried, all at once; each unmet need with what meets it. */
import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, stat, statfs } from 'node:fs/promises';
import type { Requirement } from '@vestibule/protocol/api';
import { findCurrentImage, type Image } from '../images/image-store.ts';
import { checkForwarding } from '../vm/foreign-filters.ts';
import { findNameServers } from '../vm/name-servers.ts';
import { createVmNetworks } from '../vm/vm-network.ts';
import type { AcceleratorFinding } from './accelerator.ts';
import { QEMU } from './qemu-argv.ts';

export type QemuPreflightQuery = {
  supervisorEntry: string;
  policyFile: string;
  vmsDir: string;
  imagesDir: string;
  vmDns: readonly string[];
  isRoot: boolean;
  /** Runs a guest; see `createAccelerators`. */
  findAccelerator: (image: Image) => Promise<AcceleratorFinding>;
  /** That no VM has. */
  probeUid: number;
};

type Finding = Requirement | null;

const PROGRAMS = [
  { id: 'qemu_programs', path: QEMU, packages: 'qemu-system-x86 seabios' },
  { id: 'qemu_programs', path: '/usr/bin/bwrap', packages: 'bubblewrap' },
  { id: 'qemu_programs', path: '/usr/sbin/mkfs.ext4', packages: 'e2fsprogs' },
  { id: 'network', path: '/usr/sbin/nft', packages: 'nftables iproute2' },
];
/** For logs, drives with configuration and CLIs; VMs themselves write nothing to the disk. */
const MIN_FREE_BYTES = 256 * 1024 * 1024;

/** Never rejects. */
export async function checkQemuRuntime(query: QemuPreflightQuery): Promise<Requirement[]> {
  const apt = `${query.isRoot ? '' : 'sudo '}apt-get install -y --no-install-recommends`;
  const findings = await Promise.all([
    ...PROGRAMS.map(({ id, path, packages }) => checkProgram(id, path, `${apt} ${packages}`)),
    checkOwnFiles(query),
    checkDisk(query.vmsDir),
    checkNameServers(query.vmDns),
    query.isRoot ? checkForwarding() : Promise.resolve(null),
  ]);
  const plain = [checkArchitecture(), checkRoot(query.isRoot)];
  const unmet = [...plain, ...findings].filter((finding) => finding !== null);
  const { image, finding } = await checkImage(query.imagesDir);
  if (finding !== null) return [...unmet, finding];
  // A guest is worth trying only where it could start.
  if (image === null || unmet.some(({ severity }) => severity === 'missing')) return unmet;
  return [
    ...unmet,
    ...(await Promise.all([checkGuest(query, image), checkNetwork(query)])).filter((one) => one !== null),
  ];
}

const missing = (id: string, title: string, hint: string): Requirement => ({ id, title, hint, severity: 'missing' });
const notice = (id: string, title: string, hint: string): Requirement => ({ id, title, hint, severity: 'notice' });
const toWords = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 400);

function checkArchitecture(): Finding {
  if (process.arch === 'x64') return null;
  return missing(
    'architecture',
    'Images are for x86-64 machines only',
    'Use the runtime "container" or "process" here.',
  );
}

function checkRoot(isRoot: boolean): Finding {
  if (isRoot) return null;
  return missing(
    'root',
    'Vestibule does not run as root, and so cannot give each browser machine a user and a network of its own',
    'Start it as root, or use the runtime "process".',
  );
}

async function checkProgram(id: string, path: string, hint: string): Promise<Finding> {
  const isThere = await isAccessible(path, constants.X_OK);
  return isThere ? null : missing(id, `${path} is not installed`, hint);
}

async function checkOwnFiles({ supervisorEntry, policyFile }: QemuPreflightQuery): Promise<Finding> {
  const files = [supervisorEntry, policyFile];
  const results = await Promise.all(files.map((file) => isAccessible(file, constants.R_OK)));
  const absent = files.filter((_, index) => !results[index]);
  if (absent.length === 0) return null;
  return missing('build', `Parts of Vestibule itself are missing: ${absent.join(', ')}`, 'npm run build');
}

function isAccessible(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function checkDisk(vmsDir: string): Promise<Finding> {
  try {
    await mkdir(vmsDir, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = await statfs(vmsDir);
    if (bavail * bsize >= MIN_FREE_BYTES) return null;
    const free = Math.floor((bavail * bsize) / 1e6);
    return missing(
      'disk',
      `Only ${free} MB are free in ${vmsDir}`,
      'Make room there, or set VESTIBULE_DATA_DIR to another disk.',
    );
  } catch (error) {
    return missing(
      'disk',
      `${vmsDir} cannot be used: ${toWords(error)}`,
      'Set VESTIBULE_DATA_DIR to a folder of ours.',
    );
  }
}

async function checkNameServers(vmDns: readonly string[]): Promise<Finding> {
  const servers = await findNameServers({ configured: vmDns, sharedLoopback: false });
  if (servers.length > 0) return null;
  return notice(
    'vm_dns',
    'Browser machines have no name server: this server asks one on its own loopback, which they cannot reach',
    'Set VESTIBULE_VM_DNS to the address of a name server, such as VESTIBULE_VM_DNS=9.9.9.9',
  );
}

async function checkImage(imagesDir: string): Promise<{ image: Image | null; finding: Finding }> {
  const build = 'vestibule images build';
  try {
    const image = await findCurrentImage(imagesDir);
    if (image === null) return { image, finding: missing('image', `There is no image in ${imagesDir}`, build) };
    const paths = (['rootfs', 'kernel', 'initramfs'] as const).map((file) => image.pathOf(file));
    const odd = await Promise.all(paths.map((path) => findReadProblem(path)));
    const problem = odd.find((words) => words !== null) ?? null;
    return { image, finding: problem === null ? null : missing('image', problem, build) };
  } catch (error) {
    const title = `The image in ${imagesDir} cannot be used: ${toWords(error)}`;
    return { image: null, finding: missing('image', title, build) };
  }
}

/** QEMU reads them as the VM's own uid. */
async function findReadProblem(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null) return `The image is not whole: there is no ${path}`;
  return (found.mode & 0o004) === 0 ? `Only some users may read ${path}, and a browser machine's is another` : null;
}

async function checkGuest(query: QemuPreflightQuery, image: Image): Promise<Finding> {
  try {
    const { accelerator, pace, kvmProblem } = await query.findAccelerator(image);
    if (accelerator === 'kvm') return null;
    const why = kvmProblem ?? 'the setting says so';
    return notice(
      'kvm',
      `Browser machines run without hardware virtualisation (KVM), about ${pace} times slower: ${why}`,
      "A sign-in's browser takes about 40 s to appear. Use a server with working KVM, or VESTIBULE_RUNTIME=container.",
    );
  } catch (error) {
    return missing(
      'qemu_guest',
      `QEMU cannot run a guest here: ${toWords(error)}`,
      'Build the image anew (vestibule images build); if that does not help, use the runtime "container".',
    );
  }
}

async function checkNetwork({ probeUid }: QemuPreflightQuery): Promise<Finding> {
  return tryNetwork(probeUid).then(
    () => null,
    (error: unknown) =>
      missing(
        'network',
        `Browser machines cannot get a network of their own: ${toWords(error)}`,
        'Start Vestibule where root may use network namespaces, taps (/dev/net/tun) and nftables (CAP_NET_ADMIN, CAP_SYS_ADMIN).',
      ),
  );
}

/** Makes and drops a whole network, under a name and in a network (RFC 5737, TEST-NET-1) that no VM has. */
async function tryNetwork(owner: number): Promise<void> {
  const installationId = `probe${randomBytes(4).toString('hex')}`;
  const vmId = `vm_${installationId}_0`;
  const networks = createVmNetworks({ installationId, cidr: '192.0.2.0/24' });
  try {
    await networks.create(vmId, 0, [], { tap: { owner } });
  } finally {
    await networks.destroy(vmId);
    await networks.dropTable(() => Promise.resolve(true));
  }
}
