/** `npm run simulate`: random schedules, mutants, and the comparison of the model with PostgreSQL. Progress on stderr, one JSON line on stdout. */
import { parseArgs } from 'node:util';
import { runDifferential } from './differential.ts';
import { type Mutant, MUTANTS } from './mutants.ts';
import { runSchedules, type Violation } from './schedules.ts';

const HELP = `npm run simulate [-- OPTIONS]

Runs the product's own session machine, plan, reconciler, links, pushes and agent over a simulated world (time, network, machines, CLIs,
database) and holds every step against the invariants. A violation is shrunk and printed as a scenario for simulation/scenarios.test.ts.
A few schedules aimed at moments that are rare by chance run before the random ones, and are counted apart from them.

  --schedules N      random schedules to run (default 10000; 0: none)
  --seed S           the first schedule's number (default 1); the same number is the same schedule
  --mutants          break the product on purpose in ${MUTANTS.length} ways and see each one caught
  --differential N   sequences of interleaved transactions to run on PostgreSQL and on the model of it
  --help

Ends with 1 when an invariant is violated, a mutant is not caught, or PostgreSQL and the model differ.
`;

/** A mutant that so many schedules or sequences do not catch is missed. */
const MUTANT_SCHEDULES = 30_000;
const MUTANT_SEQUENCES = 4_000;

type Options = { schedules: number; seed: number; mutants: boolean; differential: number };

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string' },
      seed: { type: 'string', default: '1' },
      mutants: { type: 'boolean', default: false },
      differential: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const isOther = values.mutants || values.differential !== '0';
  const number = (name: string, text: string): number => {
    if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} must be a whole number`);
    return Number(text);
  };
  return {
    schedules: number('schedules', values.schedules ?? (isOther ? '0' : '10000')),
    seed: number('seed', values.seed),
    mutants: values.mutants,
    differential: number('differential', values.differential),
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A line every ten seconds. */
function createProgress(what: string, all: number): (done: number) => void {
  const startedAtMs = performance.now();
  let saidAtMs = startedAtMs;
  return (done) => {
    const nowMs = performance.now();
    if (nowMs - saidAtMs < 10_000) return;
    saidAtMs = nowMs;
    say(`${done} of ${all} ${what}, ${Math.round(done / ((nowMs - startedAtMs) / 1000))} a second`);
  };
}

function tellViolation({ name, violations, shrunk }: Violation): void {
  say(`${name}: ${violations.join('\n  ')}`);
  if (shrunk === null) return;
  say(`the shortest that still fails (${shrunk.violations.join('; ')}):\n${shrunk.scenario}`);
  say(`what happened in it:\n  ${shrunk.trace.join('\n  ')}`);
}

async function simulate({ schedules: count, seed }: Options): Promise<{ line: object; isGood: boolean }> {
  const startedAtMs = performance.now();
  const onProgress = createProgress('schedules', count);
  const telling = { onProgress, onViolation: tellViolation, wantsShrunk: true };
  const result = await runSchedules({ count, seed, mutant: null, label: 'product', ...telling });
  const seconds = Math.round((performance.now() - startedAtMs) / 1000);
  const { aimed, schedules, steps, outcomes, violations } = result;
  return {
    line: { aimed, schedules, seed, steps, outcomes, violations: violations.length, seconds },
    isGood: violations.length === 0,
  };
}

/** What caught it, or null. */
async function catchMutant(mutant: Mutant): Promise<string | null> {
  const shared = { seed: 1, mutant, label: 'mutant' };
  try {
    if (mutant.by === 'differential') return (await runDifferential({ ...shared, count: MUTANT_SEQUENCES })).difference;
    const { violations } = await runSchedules({
      ...shared,
      count: MUTANT_SCHEDULES,
      wantsShrunk: false,
      processes: 1,
    });
    const [first] = violations;
    return first === undefined ? null : `${first.name} ${first.violations[0] ?? ''}`;
  } catch (error) {
    throw new Error(`the mutant "${mutant.name}" could not be run`, { cause: error });
  }
}

/** The product as it is must pass all that a mutant may be caught by, or a fault of its own would stand for the mutant's. */
async function findOwnFault(): Promise<string | null> {
  const shared = { seed: 1, mutant: null, label: 'unbroken' };
  const { violations } = await runSchedules({ ...shared, count: MUTANT_SCHEDULES, wantsShrunk: false });
  if (violations[0] !== undefined) return `${violations[0].name}: ${violations[0].violations.join('; ')}`;
  return (await runDifferential({ ...shared, count: MUTANT_SEQUENCES })).difference;
}

async function runMutants(): Promise<{ line: object; isGood: boolean }> {
  const fault = await findOwnFault();
  if (fault !== null) say(`the product as it is fails, so no mutant can be told from it: ${fault}`);
  const missed: string[] = [];
  for (const mutant of fault === null ? MUTANTS : []) {
    const words = await catchMutant(mutant);
    if (words === null) missed.push(mutant.name);
    say(
      `${words === null ? 'MISSED' : 'caught'}  ${mutant.name}${words === null ? '' : `: ${words.split('\n')[0]?.slice(0, 160)}`}`,
    );
  }
  const caught = fault === null ? MUTANTS.length - missed.length : 0;
  return { line: { mutants: MUTANTS.length, caught, missed }, isGood: fault === null && missed.length === 0 };
}

async function compare({ differential: count, seed }: Options): Promise<{ line: object; isGood: boolean }> {
  const onProgress = createProgress('sequences', count);
  const { sequences, difference } = await runDifferential({ count, seed, mutant: null, label: 'product', onProgress });
  if (difference !== null) say(difference);
  return { line: { sequences, differences: difference === null ? 0 : 1 }, isGood: difference === null };
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions();
  } catch (error) {
    say(`${error instanceof Error ? error.message : ''}\n\n${HELP}`);
    return 2;
  }
  const parts = [];
  if (options.schedules > 0) parts.push(await simulate(options));
  if (options.differential > 0) parts.push(await compare(options));
  if (options.mutants) parts.push(await runMutants());
  process.stdout.write(`${JSON.stringify(Object.assign({}, ...parts.map(({ line }) => line)))}\n`);
  return parts.every(({ isGood }) => isGood) ? 0 : 1;
}

process.exitCode = await main();
