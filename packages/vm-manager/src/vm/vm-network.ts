/**
 * A network of its own for each VM, as root: a namespace named by the VM's id, a pair of devices, one /30 by installation and slot, NAT, and one packet
 * filter table for the installation (`egress-rules.ts`). A VM reaches the internet; never another VM, this machine or what is near it.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { settleAll } from '../settle-all.ts';
import { runCommand } from '../system/run-command.ts';
import { INTERNET_ONLY, refuseOddNetworks, toEgressRules, type EgressPolicy } from './egress-policy.ts';
import { toEmptyRuleset, toRuleset } from './egress-rules.ts';

export type VmNetworkOptions = {
  installationId: string;
  /** IPv4 network with a prefix length; each slot takes four addresses of it. */
  cidr: string;
  /** Default: the internet only. */
  egress?: EgressPolicy;
};

/** The device in a VM's namespace that a virtual machine's network card is. The same two addresses in every VM: no other sees them. */
export const TAP = { device: 'tap0', gateway: '172.30.0.1', guest: '172.30.0.2', prefix: 30 } as const;

export type VmNetworkParts = {
  /** Makes `TAP`, which a process of this uid may open. Without it, the VM is whatever runs in the namespace itself. */
  tap?: { owner: number };
};

const NAMESPACES_DIR = '/run/netns';
const DEVICES_DIR = '/sys/class/net';
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

export function createVmNetworks(options: VmNetworkOptions) {
  const { installationId, cidr, egress = INTERNET_ONLY } = options;
  refuseOddNetworks(egress.allow);
  const prefix = `vb${shortHash(installationId, 5)}`;
  const table = `vestibule_${installationId.replaceAll(/\W/g, '_')}`;
  const block = toAddressBlock(cidr, installationId);
  const toDevice = (vmId: string): string => `${prefix}${shortHash(vmId, 8)}`;
  // Changes of the one table follow each other; a removal must not overtake the set-up of the next VM.
  let tableChange: Promise<unknown> = Promise.resolve();
  const changeTable = (change: () => Promise<unknown>): Promise<unknown> =>
    (tableChange = tableChange.then(change, change));

  return {
    namespacePath: (vmId: string): string => `${NAMESPACES_DIR}/${vmId}`,

    /** Throws when the slot's address is in use or the system refuses. What was there under this VM's names is replaced. */
    async create(
      vmId: string,
      slot: number,
      nameServers: readonly string[],
      { tap }: VmNetworkParts = {},
    ): Promise<void> {
      const { host, guest } = block.addressesOf(slot);
      const device = toDevice(vmId);
      refuseForeignAddress(host, device);
      await settleAll([
        changeTable(async () => {
          const rules = await toEgressRules(egress);
          const stdin = toRuleset({ table, prefix, cidr, nameServers, egress: rules });
          await runCommand(['nft', '-f', '-'], { stdin });
        }),
        allowForwarding(),
        createDevices(vmId, device, host, guest).then(() =>
          tap === undefined ? undefined : createTap(vmId, tap.owner),
        ),
      ]);
    },

    exists: (vmId: string): boolean =>
      existsSync(`${NAMESPACES_DIR}/${vmId}`) || existsSync(`${DEVICES_DIR}/${toDevice(vmId)}`),

    /** Idempotent. */
    async destroy(vmId: string): Promise<void> {
      await removeDevices(vmId, toDevice(vmId));
    },

    /**
     * Takes the installation's table away when no VM needs it; asked in the queue of the table's changes, so no set-up is overtaken.
     * To be called after each removal, also a repeated one: a crash may have come between the last VM's end and this.
     */
    async dropTable(isUnused: () => Promise<boolean>): Promise<void> {
      await changeTable(async () => {
        if (await isUnused()) await runCommand(['nft', '-f', '-'], { stdin: toEmptyRuleset(table) });
      });
    },

    /** Ids of VMs whose namespace or device exists. */
    async list(): Promise<string[]> {
      const [names, devices] = await Promise.all([listFolder(NAMESPACES_DIR), listFolder(DEVICES_DIR)]);
      const own = devices.filter((device) => device.startsWith(prefix));
      const told = await Promise.all(
        own.map((device) => readFile(`${DEVICES_DIR}/${device}/ifalias`, 'utf8').catch(() => '')),
      );
      const all = [...names, ...told.map((text) => text.trim())];
      return [...new Set(all)].filter((name) => name.startsWith(`vm_${installationId}_`));
    },
  };
}

const listFolder = (dir: string): Promise<string[]> => readdir(dir).catch(() => []);

async function createDevices(vmId: string, device: string, host: string, guest: string): Promise<void> {
  await removeDevices(vmId, device);
  await runBatch(
    ['ip'],
    [
      `netns add ${vmId}`,
      `link add ${device} type veth peer name eth0 netns ${vmId}`,
      `addr add ${host}/30 dev ${device}`,
      // What it is, for whoever finds it without its namespace.
      `link set ${device} addrgenmode none alias ${vmId} up`,
    ],
  );
  await runBatch(
    ['ip', '-n', vmId],
    [
      'link set lo up',
      `addr add ${guest}/30 dev eth0`,
      'link set eth0 addrgenmode none up',
      `route add default via ${host}`,
    ],
  );
}

/** The namespace becomes a router between the tap and the pair of devices, and offers nothing of its own. */
async function createTap(vmId: string, owner: number): Promise<void> {
  const inside = ['nsenter', `--net=${NAMESPACES_DIR}/${vmId}`, '--'];
  await runBatch(
    ['ip', '-n', vmId],
    [
      `tuntap add dev ${TAP.device} mode tap user ${owner}`,
      `link set ${TAP.device} addrgenmode none`,
      `addr add ${TAP.gateway}/${TAP.prefix} dev ${TAP.device}`,
      `link set ${TAP.device} up`,
    ],
  );
  await settleAll([
    runCommand([...inside, 'nft', '-f', '-'], { stdin: toTapRuleset() }),
    // /proc/sys/net shows each process its own namespace's.
    runCommand([...inside, 'tee', FORWARDING], { stdin: '1' }),
  ]);
}

async function removeDevices(vmId: string, device: string): Promise<void> {
  // Devices first: those of a removed namespace linger until the kernel gets to it.
  const commands: string[] = [];
  if (existsSync(`${DEVICES_DIR}/${device}`)) commands.push(`link del ${device}`);
  if (existsSync(`${NAMESPACES_DIR}/${vmId}`)) commands.push(`netns del ${vmId}`);
  if (commands.length > 0) await runBatch(['ip'], commands);
}

function runBatch(program: readonly string[], commands: readonly string[]): Promise<string> {
  return runCommand([...program, '-batch', '-'], { stdin: `${commands.join('\n')}\n` });
}

/** VMs need it, so it stays on; it is off on machines that never routed for anybody. */
async function allowForwarding(): Promise<void> {
  if ((await readFile(FORWARDING, 'utf8')).trim() !== '1') await writeFile(FORWARDING, '1');
}

function refuseForeignAddress(address: string, device: string): void {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (name !== device && addresses?.some((entry) => entry.address === address))
      throw new Error(
        `the address ${address} is already in use on ${name}; another installation may use the same network`,
      );
  }
}

function toTapRuleset(): string {
  const { device, guest } = TAP;
  return `table inet vestibule_tap {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept;
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "${device}" oifname "eth0" ip saddr ${guest} accept;
    iifname "eth0" oifname "${device}" ct state established,related accept;
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "eth0" masquerade;
  }
}
`;
}

/** Each installation counts its slots from a place of its own, so that two on one machine rarely meet. */
function toAddressBlock(cidr: string, installationId: string) {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  const [a = 0, b = 0, c = 0, d = 0, length = 0] = (match ?? []).slice(1).map(Number);
  if (match === null || length < 8 || length > 30) throw new Error(`not an IPv4 network of /8 to /30: ${cidr}`);
  const first = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const slots = 2 ** (30 - length);
  const start = Number.parseInt(shortHash(installationId, 8), 16) % slots;
  const toText = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
  return {
    addressesOf(slot: number): { host: string; guest: string } {
      if (!Number.isInteger(slot) || slot < 0 || slot >= slots)
        throw new Error(`slot ${slot} does not fit into ${cidr}`);
      const base = first + ((start + slot) % slots) * 4;
      return { host: toText(base + 1), guest: toText(base + 2) };
    },
  };
}

function shortHash(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
