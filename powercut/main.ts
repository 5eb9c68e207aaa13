/**
 * `npm run powercut`: the embedded database on a disk that really loses what was not flushed, written to by sign-ins until the power is cut
 * at a random moment, again and again; then every credential that was acknowledged as stored is looked for. Two controls must lose some:
 * PostgreSQL told not to sync, and a file system that asks for no flush.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findObstacle } from './device.ts';
import { runCuts, type CutsResult, type Disk } from './run-cuts.ts';

const HELP = `npm run powercut -- [--cuts COUNT]

  --cuts COUNT  power cuts of the product's disk (default 10); each control gets one

Prints one JSON line. Ends with 1 when a credential was lost, or when a control lost none: then this proves nothing.
Needs root and loop devices.`;

function readCuts(): number {
  try {
    const { values } = parseArgs({ options: { cuts: { type: 'string' }, help: { type: 'boolean' } } });
    if (values.help === true) {
      console.log(HELP);
      process.exit(0);
    }
    const cuts = Number(values.cuts ?? 10);
    if (!Number.isInteger(cuts) || cuts < 1) throw new Error('--cuts must be a whole number from 1');
    return cuts;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : ''}\n\n${HELP}`);
    process.exit(2);
  }
}

async function cut(cuts: number, disk: Disk): Promise<CutsResult> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-powercut-'));
  chmodSync(folder, 0o711);
  const result = await runCuts(folder, cuts, disk);
  // Left in place when it failed, for whoever looks into it: it may still be mounted.
  rmSync(folder, { recursive: true, force: true });
  return result;
}

const cuts = readCuts();
const obstacle = findObstacle();
if (obstacle !== null) {
  console.log(JSON.stringify({ powercut: 'skipped', why: obstacle }));
  process.exit(0);
}
const product = await cut(cuts, { fsync: true, noFlush: false });
const withoutSync = await cut(1, { fsync: false, noFlush: false });
const withoutFlush = await cut(1, { fsync: true, noFlush: true });
console.log(
  JSON.stringify({
    powercut: 'ran',
    ...product,
    control_lost: withoutSync.lost,
    controls: { fsync_off: withoutSync, no_flush: withoutFlush },
  }),
);
process.exitCode = product.lost === 0 && product.broken === 0 && withoutSync.lost > 0 && withoutFlush.lost > 0 ? 0 : 1;
