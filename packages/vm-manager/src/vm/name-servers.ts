/** Which resolvers a VM asks: those set by the operator, else those of this machine that its network can reach. */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

export type NameServerQuery = {
  /** Setting VESTIBULE_VM_DNS. */
  configured: readonly string[];
  /** Whether the VM shares this machine's loopback, where a local resolver may listen. */
  sharedLoopback: boolean;
  /** Files in the form of resolv.conf, best first. */
  files?: readonly string[];
};

/** Empty when there is none: the VM starts all the same, and preflight says so. */
export async function findNameServers({ configured, sharedLoopback, files }: NameServerQuery): Promise<string[]> {
  if (configured.length > 0) return [...configured];
  for (const file of files ?? RESOLVER_FILES) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const usable = toAddresses(text).filter((address) => sharedLoopback || canLeaveNamespace(address));
    if (usable.length > 0) return usable.slice(0, 3);
  }
  return [];
}

function toAddresses(text: string): string[] {
  const found = text.split('\n').map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? '');
  return found.filter((address) => isIP(address) !== 0);
}

/** A VM's own network has IPv4 only, and a loopback of its own. */
function canLeaveNamespace(address: string): boolean {
  return isIP(address) === 4 && !address.startsWith('127.') && address !== '0.0.0.0';
}
