/** The command line of `npm run bench -- click`. Ends the process for `--help`, and for what it does not know. */
import { parseArgs } from 'node:util';
import { BUILT_RUNTIMES, type BuiltRuntime } from '@vestibule/protocol/vm';

export type ClickOptions = {
  runtime: BuiltRuntime;
  /** Measured turns of each side. */
  turns: number;
  /** Seconds from paint to the reading of a session's memory; null: it is not read. */
  restSeconds: number | null;
  /** Whether ever more sign-ins begin at once, until the median doubles. */
  findMost: boolean;
};

const RUNTIMES = BUILT_RUNTIMES.filter((kind) => kind !== 'fake');

function toWhole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw new Error(`--${name} must be a whole number from ${least}`);
  return value;
}

function parse(): ClickOptions | null {
  const { values } = parseArgs({
    options: {
      runtime: { type: 'string', default: 'process' },
      n: { type: 'string', default: '12' },
      rest: { type: 'string', default: '60' },
      'no-memory': { type: 'boolean' },
      most: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return null;
  const runtime = RUNTIMES.find((kind) => kind === values.runtime);
  if (runtime === undefined) throw new Error(`--runtime must be one of ${RUNTIMES.join(', ')}`);
  return {
    runtime,
    turns: toWhole('n', values.n, 1),
    restSeconds: values['no-memory'] === true ? null : toWhole('rest', values.rest, 0),
    findMost: values.most === true,
  };
}

export function readClickOptions(help: string): ClickOptions {
  try {
    const options = parse();
    if (options !== null) return options;
    console.log(help);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : ''}\n\n${help}`);
    process.exit(2);
  }
}
