/**
 * `npm run e2e:fresh`: from `git clone` to the demo's *Connected* on a fresh Debian 12, as three people would. Prints one JSON line for each,
 * with seconds by stage. Needs root, mmdebstrap and bubblewrap; not part of `npm test`, as it downloads a system.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDebianRoot } from './fresh/debian-root.ts';
import { type Lap, startAsRoot, startAsUser, startAtTerminal } from './fresh/first-starts.ts';
import { cloneHead, type FreshClone, offerHead } from './fresh/fresh-clone.ts';
import { type FreshMachine, ROOT_ACCOUNT, startFreshMachine } from './fresh/fresh-machine.ts';
import type { NpmStart } from './fresh/npm-start.ts';
import { startAgain } from './fresh/second-starts.ts';

type Person = { isRoot: boolean; start: (clone: FreshClone, lap: Lap) => Promise<NpmStart>; again: boolean };

const PEOPLE: Readonly<Record<string, Person>> = {
  root: { isRoot: true, start: startAsRoot, again: false },
  user: { isRoot: false, start: startAsUser, again: false },
  terminal: { isRoot: true, start: startAtTerminal, again: true },
};

const HELP = `npm run e2e:fresh [-- PERSON…]

From git clone of HEAD to the demo's Connected on a fresh Debian 12, as: ${Object.keys(PEOPLE).join(', ')}; all when none is named.
`;

/** Seconds by stage, in order, and in total. */
function createLaps(): { lap: Lap; read: () => Record<string, number> } {
  const startedAt = performance.now();
  const seconds: Record<string, number> = {};
  const round = (ms: number): number => Math.round(ms / 10) / 100;
  let last = startedAt;
  return {
    lap(stage, at = performance.now()) {
      seconds[stage] = round(at - last);
      last = at;
    },
    read: () => ({ ...seconds, total: round(last - startedAt) }),
  };
}

/** A browser machine outlives its controller on purpose; it ends with the fresh machine, but packet filters are this kernel's. */
async function removePacketFilter(machine: FreshMachine): Promise<void> {
  const file = join(machine.dir, 'var/lib/vestibule/installation-id');
  if (!existsSync(file)) return;
  const table = `vestibule_${readFileSync(file, 'utf8').trim()}`;
  const tables = await machine.run(ROOT_ACCOUNT, ['nft', 'list', 'tables']);
  if (tables.includes(table)) await machine.run(ROOT_ACCOUNT, ['nft', 'delete', 'table', 'inet', table]);
}

async function follow(name: string, person: Person, pristine: string): Promise<void> {
  const machine = await startFreshMachine(pristine);
  let clone: FreshClone | null = null;
  try {
    await offerHead(machine);
    const account = person.isRoot ? ROOT_ACCOUNT : await machine.addUser('ada');
    const { lap, read } = createLaps();
    clone = await cloneHead(machine, account);
    lap('clone');
    const start = await person.start(clone, lap);
    const last = person.again ? await startAgain(clone, start) : start;
    await last.stop();
    console.log(JSON.stringify({ e2e: 'fresh', person: name, seconds: read(), secondStarts: person.again }));
  } catch (error) {
    console.error(`As ${name}, npm start said:\n${clone?.lastWords() ?? ''}`);
    throw error;
  } finally {
    await removePacketFilter(machine);
    await machine.remove();
  }
}

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => PEOPLE[name] === undefined);
  if (unknown.length > 0) {
    process.stdout.write(HELP);
    return unknown.includes('--help') ? 0 : 2;
  }
  if (process.getuid?.() !== 0) {
    console.error('A fresh machine is made by root: run this as root, on a machine that may do so.');
    return 1;
  }
  const pristine = await ensureDebianRoot();
  for (const [name, person] of Object.entries(PEOPLE)) {
    if (names.length === 0 || names.includes(name)) await follow(name, person, pristine);
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
