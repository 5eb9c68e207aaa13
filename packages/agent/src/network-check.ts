/** Whether the VM has what it takes to reach the internet: an interface, a route, a resolver. Nothing is sent. */
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';

/** What is missing, for a person; null when nothing is. */
export async function findNetworkProblem(): Promise<string | null> {
  const external = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal));
  if (!external) return 'the VM has no network interface';
  if (!hasDefaultRoute(await read('/proc/net/route'))) return 'the VM has no default route';
  if (!/^\s*nameserver\s/m.test(await read('/etc/resolv.conf'))) return 'the VM has no name server';
  return null;
}

/** `table` as in /proc/net/route: interface, destination, gateway, flags, …, mask in the eighth column. */
export function hasDefaultRoute(table: string): boolean {
  const rows = table
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/));
  return rows.some((row) => row[1] === '00000000' && row[7] === '00000000');
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
