/** `npm run torture`: see `--help`. One JSON line on the standard output, everything else on the other. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HELP, readOptions, type Options } from './options.ts';
import { listWrong } from './report.ts';
import { runTorture } from './torture-run.ts';

const REPORT_DIR = fileURLToPath(new URL('../test-results/torture', import.meta.url));
const EXIT_WRONG = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const BY_SIGNAL = new Error('interrupted');

function say(words: string): void {
  process.stderr.write(`torture: ${words}\n`);
}

/** The first signal takes everything down in order, as does an error that nobody expected; there is no second way. */
function waitForInterrupt(): AbortSignal {
  const interrupt = new AbortController();
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error: unknown) => {
      say(error instanceof Error ? (error.stack ?? error.message) : String(error));
      interrupt.abort(error);
    });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (!interrupt.signal.aborted) say('interrupted; clearing up');
      interrupt.abort(BY_SIGNAL);
    });
  return interrupt.signal;
}

async function run(options: Options): Promise<number> {
  const signal = waitForInterrupt();
  const reportDir = join(REPORT_DIR, String(options.seed));
  say(`${options.kills} kills in ${options.minutes} minutes, seed ${options.seed}; journal and logs in ${reportDir}`);
  try {
    const figures = await runTorture({ ...options, reportDir, signal, say });
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    const wrong = listWrong(figures);
    if (wrong.length > 0) say(`not 0: ${wrong.join(', ')}`);
    return wrong.length > 0 ? EXIT_WRONG : 0;
  } catch (error) {
    if (signal.aborted) return signal.reason === BY_SIGNAL ? EXIT_INTERRUPTED : EXIT_WRONG;
    throw error;
  }
}

async function main(): Promise<number> {
  let options: Options | null;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    say(`${error instanceof Error ? error.message : ''}\n\n${HELP}`);
    return EXIT_USAGE;
  }
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }
  if (process.geteuid?.() === 0) return run(options);
  say('this needs root: for the disks it fills and the networks of the VMs');
  return EXIT_USAGE;
}

process.exit(await main());
