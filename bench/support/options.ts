/** The command line of a bench: `--n COUNT`, `--help`; anything else is refused. Ends the process for those two. */
import { parseArgs } from 'node:util';

export function readCount({ help, fallback, least }: { help: string; fallback: number; least: number }): number {
  try {
    const { values } = parseArgs({ options: { n: { type: 'string' }, help: { type: 'boolean' } } });
    if (values.help === true) {
      console.log(help);
      process.exit(0);
    }
    const count = Number(values.n ?? fallback);
    if (!Number.isInteger(count) || count < least) throw new Error(`--n must be a whole number from ${least}`);
    return count;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : ''}\n\n${help}`);
    process.exit(2);
  }
}
