/**
 * The packet filter of an installation, as one nft table that is the same however many VMs there are: it matches their devices by prefix.
 * A VM's first packet is judged by where it goes, each packet by whether it comes from the VM's own address; what comes to a VM is an answer.
 * Rules of other tables on this machine still hold: nft asks all of them.
 */
import { NEAR_NETWORKS, type EgressRules } from './egress-policy.ts';

export type EgressTable = {
  table: string;
  /** What the host's devices of VMs begin with. */
  prefix: string;
  /** The network that VMs' addresses are from. */
  cidr: string;
  nameServers: readonly string[];
  egress: EgressRules;
};

/** Takes the table away, whether it is there or not. */
export function toEmptyRuleset(table: string): string {
  return `add table inet ${table}\ndelete table inet ${table}\n`;
}

/** Replaces the table in one transaction. */
export function toRuleset({ table, prefix, cidr, nameServers, egress }: EgressTable): string {
  const vms = `"${prefix}*"`;
  const near = toNear(nameServers, egress);
  return `${toEmptyRuleset(table)}table inet ${table} {
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    iifname ${vms} meta nfproto != ipv4 drop;
    iifname ${vms} ip saddr != ${cidr} drop;
    iifname ${vms} fib saddr . iif oif missing drop;
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname ${vms} jump near;
    iifname ${vms} drop;
  }
  chain output {
    type filter hook output priority filter; policy accept;
    oifname ${vms} ct state established,related accept;
    oifname ${vms} icmp type { destination-unreachable, time-exceeded, parameter-problem } accept;
    oifname ${vms} drop;
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname ${vms} oifname ${vms} drop;
    iifname ${vms} jump near;
    iifname ${vms} jump away;
    oifname ${vms} ct state established,related accept;
    oifname ${vms} drop;
  }
  chain near {
${near.map((rule) => `    ${rule} accept;\n`).join('')}  }
  chain away {
${toAway(egress)
  .map((rule) => `    ${rule};\n`)
  .join('')}  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${cidr} oifname != ${vms} masquerade;
  }
}
`;
}

/** Single services, wherever they are, also on this machine itself. */
function toNear(nameServers: readonly string[], { proxy }: EgressRules): string[] {
  const v4 = nameServers.filter((address) => !address.includes(':'));
  return [
    ...(v4.length === 0 ? [] : [`ip daddr { ${[...new Set(v4)].join(', ')} } meta l4proto { tcp, udp } th dport 53`]),
    ...(proxy === null ? [] : [`ip daddr { ${proxy.addresses.join(', ')} } tcp dport ${proxy.port}`]),
  ];
}

/** What is refused is told so at once, lest a browser wait for minutes. */
function toAway({ allow, proxy }: EgressRules): string[] {
  const refuse = 'reject with icmpx admin-prohibited';
  if (proxy !== null) return [refuse];
  return [
    ...allow.map((network) => `ip daddr ${network} return`),
    `ip daddr { ${NEAR_NETWORKS.join(', ')} } ${refuse}`,
  ];
}
