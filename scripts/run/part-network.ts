/**
 * A network of its own for a part of the tests: browsers break off what they load whenever a network device comes or goes beside them, and
 * each browser VM brings one. What is made inside is seen by nobody outside. The way out is by NAT, so that registries are reached.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { runProgram } from '../start/run-program.mjs';

export type PartNetwork = {
  /** Before the argv of a program that is to run inside. */
  enter: readonly string[];
  /** Gone with it: all devices and packet filters made inside. */
  close(): Promise<void>;
};

/** Of the process that made it and its number there; nothing else says that a network is nobody's any more. */
type Owner = { pid: number; number: number };

const NAMESPACES_DIR = '/run/netns';
const toNamespace = ({ pid, number }: Owner): string => `vbpart${pid}n${number}`;
const toDevice = ({ pid, number }: Owner): string => `vbp${pid}n${number}`;
/** An empty folder to mount at; root's alone. */
const toFolder = (owner: Owner): string => `/run/${toNamespace(owner)}`;
const toTable = ({ pid, number }: Owner): string => `vestibule_tests_${pid}_${number}`;

/**
 * /sys shows the network it was mounted in, and the control groups are mounted below it. Whatever is mounted from then on is private.
 * $1 is an empty folder.
 */
const MOUNT_OWN_SYS =
  'mount -t sysfs sysfs "$1" && mount --rbind /sys/fs/cgroup "$1/fs/cgroup" && mount --rbind "$1" /sys && umount -l "$1" && shift && exec "$@"';

async function run(argv: readonly string[]): Promise<void> {
  const [program = '', ...args] = argv;
  const { code, tail } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with code ${code}: ${tail.join(' ')}`);
}

/** What is not there is no matter. */
async function remove(owner: Owner): Promise<void> {
  await runProgram('ip', ['link', 'del', toDevice(owner)]);
  await runProgram('nft', ['delete', 'table', 'inet', toTable(owner)]);
  await runProgram('ip', ['netns', 'del', toNamespace(owner)]);
  await runProgram('rmdir', [toFolder(owner)]);
}

/** Those of test runs that were killed. */
async function removeDead(): Promise<void> {
  const names = existsSync(NAMESPACES_DIR) ? readdirSync(NAMESPACES_DIR) : [];
  for (const name of names) {
    const [, pid, number] = /^vbpart(\d+)n(\d+)$/.exec(name)?.map(Number) ?? [];
    if (pid !== undefined && number !== undefined && !existsSync(`/proc/${pid}`)) await remove({ pid, number });
  }
}

async function connect(owner: Owner): Promise<void> {
  const [namespace, device, table] = [toNamespace(owner), toDevice(owner), toTable(owner)];
  // Of the block for benchmarks (RFC 2544), by this process: two test runs on one machine rarely meet.
  const block = `198.18.${owner.pid % 256}`;
  const [outer, inner] = [`${block}.${owner.number * 4 + 1}`, `${block}.${owner.number * 4 + 2}`];
  await run(['ip', 'netns', 'add', namespace]);
  await run(['ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace]);
  await run(['ip', 'addr', 'add', `${outer}/30`, 'dev', device]);
  await run(['ip', 'link', 'set', device, 'up']);
  await run(['ip', '-n', namespace, 'link', 'set', 'lo', 'up']);
  await run(['ip', '-n', namespace, 'addr', 'add', `${inner}/30`, 'dev', 'eth0']);
  await run(['ip', '-n', namespace, 'link', 'set', 'eth0', 'up']);
  await run(['ip', '-n', namespace, 'route', 'add', 'default', 'via', outer]);
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  const chain = `add chain inet ${table} out { type nat hook postrouting priority srcnat; }`;
  const rule = `add rule inet ${table} out ip saddr ${inner} oifname != "${device}" masquerade`;
  await run(['nft', `add table inet ${table}; ${chain}; ${rule}`]);
}

/**
 * Root only.
 * @param number from 0; parts that run at the same time have different ones
 */
export async function createPartNetwork(number: number): Promise<PartNetwork> {
  await removeDead();
  const owner = { pid: process.pid, number };
  const close = (): Promise<void> => remove(owner);
  try {
    mkdirSync(toFolder(owner));
    await connect(owner);
  } catch (error) {
    await close();
    throw error;
  }
  const unshare = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', MOUNT_OWN_SYS, 'sh', toFolder(owner)];
  return { enter: ['nsenter', `--net=${NAMESPACES_DIR}/${toNamespace(owner)}`, ...unshare], close };
}
