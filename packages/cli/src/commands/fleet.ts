/** `vestibule fleet gc`: what a crash left of browser VMs on the server, and having it removed. */
import type { Leftover } from '@vestibule/protocol/api';
import type { Exit } from '../cli-error.ts';
import { connectTo, type Cli } from '../cli.ts';
import { toTable } from '../table.ts';

export type GcFlags = { dryRun?: boolean };

export async function collectLeftovers(cli: Cli, { dryRun: isDry = false }: GcFlags): Promise<Exit> {
  const { client } = connectTo(cli);
  if (isDry) {
    const found = await client.findLeftovers();
    const words =
      found.leftovers.length === 0 ? `Nothing is left on ${found.hostId}.` : toLeftoverTable(found.leftovers);
    cli.report.tell({ type: 'leftovers', ...found }, words);
    return 'done';
  }
  const { hostId, found, remaining } = await client.removeLeftovers();
  const words =
    found.length === 0 ? `Nothing was left on ${hostId}.` : `Was left on ${hostId}:\n${toLeftoverTable(found)}`;
  cli.report.tell({ type: 'leftovers_removed', hostId, found, remaining }, words);
  if (remaining.length === 0) return 'done';
  cli.report.warn(`Could not be removed; the server's log says why:\n${toLeftoverTable(remaining)}`);
  return 'failed';
}

function toLeftoverTable(leftovers: readonly Leftover[]): string {
  const rows = leftovers.flatMap(({ vmId, remains }) => remains.map(({ kind, name }) => [vmId, kind, name]));
  return toTable(['MACHINE', 'WHAT', 'NAME'], rows);
}
