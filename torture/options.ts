/** The command line of a torture run. */
import { parseArgs } from 'node:util';

export type Options = { kills: number; minutes: number; seed: number };

export const HELP = `npm run torture -- [--kills N] [--minutes M] [--seed S]

Two controllers on one PostgreSQL, dozens of sign-ins side by side, and a hand that kills -9 at random: controllers, OAuth agents, VMs,
their supervisors, the database. Then every sign-in is accounted for by what its CLI really wrote, and one JSON line is printed.

  --kills N     how many kills (default 500)
  --minutes M   over how many minutes, fractions allowed (default 8)
  --seed S      what is chosen follows from it (default: another each time; printed)

Needs root. Progress is on the standard error. Ends with 1 when a sign-in was judged wrongly, a login lost, or something left behind.
`;

/** Null when help is wanted. Throws with what is wrong. */
export function readOptions(argv: readonly string[]): Options | null {
  const options = {
    kills: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ args: [...argv], options });
  if (values.help === true) return null;
  const kills = Number(values.kills ?? 500);
  const minutes = Number(values.minutes ?? 8);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (!Number.isInteger(kills) || kills < 1) throw new Error('--kills must be a whole number from 1');
  if (!(minutes > 0 && minutes <= 600)) throw new Error('--minutes must be a number above 0, 600 at most');
  if (!Number.isInteger(seed) || seed < 0) throw new Error('--seed must be a whole number from 0');
  return { kills, minutes, seed };
}
